import { localPostgres } from '@skipcast/db'
import { openHome, silentLogger } from '@skipcast/runtime'

/** A PostgreSQL that stays down when it is told to, as one on another machine would. */
export interface HeldDatabase extends AsyncDisposable {
  readonly url: string
  stop(): Promise<void>
  start(): Promise<void>
}

export async function heldDatabase(home: string): Promise<HeldDatabase> {
  const open = async () => localPostgres(await openHome(home), { logger: silentLogger(), onStop: 'stop' })
  let running: Awaited<ReturnType<typeof open>> | undefined = await open()
  const stop = async () => {
    await running?.[Symbol.asyncDispose]()
    running = undefined
  }
  return {
    url: running.url,
    stop,
    async start() {
      running = await open()
    },
    [Symbol.asyncDispose]: stop,
  }
}
