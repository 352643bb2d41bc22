import { join } from 'node:path'
import type { StartStream, Track } from '@skipcast/contracts'
import { childUser } from '@skipcast/runtime'
import { openListener, temporaryHome, toneFile, type Listener, type ToneFileOptions } from '@skipcast/testing'
import { localHost } from '../src/adapters/local-host.ts'
import type { EngineHost } from '../src/ports.ts'
import { LIMITS } from './limits.ts'
import { SCRIPTS } from './script.ts'
import { aStream, aTrack } from './streams.ts'
import { SOURCE_PASSWORD, testIcecast } from './test-icecast.ts'

/** One engine, an Icecast of its own, and listeners at its channels. */
export interface EngineUnderTest extends AsyncDisposable {
  readonly host: EngineHost
  /** Of the engine that runs now. */
  readonly engineId: string
  /** The file that a track of this id plays. */
  fileOf(id: string): string
  /** A track that plays this tone, its file made. */
  track(id: string, tone: ToneFileOptions): Promise<Track>
  /** Adds an encoded channel, or adds it again to another engine. */
  add(channelId: string, fields: Partial<StartStream>, offsetMs?: number): Promise<void>
  /** Opens a listener, who comes again when let go. */
  listenTo(channelId: string): Promise<Listener>
  /** Ends the engine as `kill -9` does, and starts another. */
  replace(): Promise<void>
}

/** Starts an engine of this Liquidsoap. */
export async function engineUnderTest(program: string): Promise<EngineUnderTest> {
  await using opening = new AsyncDisposableStack()
  const icecast = opening.use(await testIcecast())
  const home = opening.use(await temporaryHome())
  const fileOf = (id: string) => join(home.path, `${id}.mp3`)
  const host = opening.use(
    await localHost({
      directory: join(home.path, 'agent'),
      scripts: SCRIPTS,
      program,
      logLevel: 3,
      limits: LIMITS,
      icecast: { host: '127.0.0.1', port: icecast.port },
      owner: childUser(),
      pathOf: (sha256) => fileOf(Buffer.from(sha256, 'hex').toString('latin1').replaceAll('\0', '')),
    }),
  )
  const start = async () => {
    await host.start()
    return (await host.list())[0]!.id
  }
  let engineId = await start()
  opening.defer(() => host.stop(engineId, { kill: true }))
  const owned = opening.move()
  return {
    host,
    get engineId() {
      return engineId
    },
    fileOf,
    async track(id, tone) {
      await toneFile(fileOf(id), tone)
      return aTrack(id, { duration_ms: tone.seconds * 1000 })
    },
    add: (channelId, fields, offsetMs = 0) =>
      host.add(engineId, { ...aStream(channelId, { mode: 'encode', source_token: SOURCE_PASSWORD, ...fields }), offsetMs }),
    listenTo: async (channelId) => owned.use(await openListener(icecast.urlOf(`/${channelId}`), { reconnectAfterMs: 20 })),
    async replace() {
      await host.stop(engineId, { kill: true })
      engineId = await start()
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
