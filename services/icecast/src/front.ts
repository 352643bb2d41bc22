import { waitFor, type HealthBoard } from '@skipcast/runtime'
import { fileURLToPath } from 'node:url'
import { frontProcess, type FrontProcessOptions } from './adapters/front-process.ts'
import { isOpen } from './adapters/is-open.ts'
import type { IcecastConfig } from './config.ts'
import { frontConfig } from './domain/front-config.ts'
import type { places } from './places.ts'

const GATE_SCRIPT = fileURLToPath(new URL('../../../icecast/gate.lua', import.meta.url))
const FIRST_ANSWER_MS = 10_000
const ANSWERS_WITHIN_MS = 2000

/** HAProxy, before icecast2. */
export interface Front extends AsyncDisposable {
  /** Looks whether it accepts connections, and reports it. Never rejects. */
  look(): Promise<void>
}

/** Starts or adopts the front. Returns once it listens, or after 10 s anyway. Rejects with PROGRAM_MISSING, CONFIG_INVALID or PORT_TAKEN. */
export async function startFront(
  config: IcecastConfig,
  options: Pick<FrontProcessOptions, 'logMaxBytes' | 'user' | 'onStop' | 'telemetry' | 'maps'> & {
    readonly own: Awaited<ReturnType<typeof places>>
    readonly maxConnections: number
    readonly health: HealthBoard
  },
): Promise<Front> {
  const { own, maxConnections } = options
  const { binary, tls, statisticsFrom } = config.front
  const listens = [
    { host: config.bind, port: config.port, variable: 'ICECAST_PORT' },
    ...(tls ? [{ host: config.bind, port: tls.port, variable: 'ICECAST_TLS_PORT' }] : []),
  ]
  const front = await frontProcess({
    ...options,
    binary,
    config: frontConfig({ ...config, ...own, statisticsFrom, tlsPort: tls?.port ?? null, maxConnections }),
    gateScript: GATE_SCRIPT,
    certificateFile: tls?.certificateFile ?? null,
    listens,
    directory: own.front,
    identityFile: own.frontIdentityFile,
  })

  const isListening = async () => (await Promise.all(listens.map((at) => isOpen(at, ANSWERS_WITHIN_MS)))).every(Boolean)
  const look = async () => {
    const problem = (await isListening()) ? null : `HAProxy does not accept connections; ${own.front}/output.log says why`
    options.health.report('haproxy', problem)
  }
  await waitFor('HAProxy to listen', isListening, { timeoutMs: FIRST_ANSWER_MS, everyMs: 10 }).catch(() => {})
  await look()
  return { look, [Symbol.asyncDispose]: () => front[Symbol.asyncDispose]() }
}
