import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { temporaryHome } from '@skipcast/testing'

const PROCESS = fileURLToPath(new URL('lock-roles-process.ts', import.meta.url))
const PROCESSES = 6
const ROUNDS = 3

test('of processes that start in one home at the same moment, one has the role, also after the last was killed', async () => {
  await using home = await temporaryHome()
  for (let round = 0; round < ROUNDS; round++) {
    const children = Array.from({ length: PROCESSES }, () => fork(PROCESS, { stdio: 'ignore' }))
    await Promise.all(children.map((child) => once(child, 'message')))
    const answers = children.map(async (child) => (await once(child, 'message'))[0] as boolean)
    for (const child of children) child.send(home.path)
    expect((await Promise.all(answers)).filter(Boolean)).toHaveLength(1)
    await Promise.all(
      children.map((child) => {
        const ended = once(child, 'exit')
        child.kill('SIGKILL')
        return ended
      }),
    )
  }
})
