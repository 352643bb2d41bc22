import { engineHostContract } from '../test/engine-host.contract.ts'
import { fakeMachine } from '../test/fake-machine.ts'

engineHostContract('fake', async () => {
  const machine = fakeMachine()
  return {
    host: machine.open(),
    again: async () => machine.open(),
    kill: async (engineId) => machine.kill(engineId),
    async [Symbol.asyncDispose]() {},
  }
})
