import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { childUser, freePort, startDaemon, stopDaemon, waitFor, writeFileAtomic, type Home } from '@skipcast/runtime'

const ANSWER_TIMEOUT_MS = 10_000

/** An Icecast without Skipcast: one source password for all, no authentication by URL. */
export interface BareIcecast extends AsyncDisposable {
  readonly port: number
  readonly password: string
  /** Where it lives, and what belongs to it may live. */
  readonly directory: string
}

/** Starts it, for so many sources, and waits until it answers. Listeners of each mount in `fallbacks` are sent to the other while it has no source. */
export async function bareIcecast(
  home: Home,
  sources: number,
  fallbacks: Readonly<Record<string, string>> = {},
): Promise<BareIcecast> {
  const owner = childUser()
  const directory = await home.directory('bare', { owner })
  const password = randomBytes(16).toString('hex')
  const port = await freePort()
  const config = join(directory, 'icecast.xml')
  await writeFileAtomic(config, icecastXml({ port, password, directory, sources, fallbacks }), { owner })
  const identityFile = join(home.path, 'bare-icecast2.json')
  await using owned = new AsyncDisposableStack()
  const running = await startDaemon({
    program: 'icecast2',
    args: ['-c', config],
    cwd: directory,
    logFile: join(directory, 'icecast2.log'),
    identityFile,
    tag: '',
    user: owner,
  })
  owned.defer(() => stopDaemon(running, { identityFile, graceMs: 2000 }))
  const answers = async () => (await fetch(`http://127.0.0.1:${port}/none`)).status === 404
  await waitFor('icecast2 to answer', answers, { timeoutMs: ANSWER_TIMEOUT_MS })
  const stop = owned.move()
  return { port, password, directory, [Symbol.asyncDispose]: () => stop.disposeAsync() }
}

/** The least that icecast2 runs on. Values are our own: digits, hex and a path of ours. */
function icecastXml(own: {
  port: number
  password: string
  directory: string
  sources: number
  fallbacks: Readonly<Record<string, string>>
}): string {
  const { port, password, directory, sources } = own
  const mounts = Object.entries(own.fallbacks).map(
    ([mount, fallback]) =>
      `<mount type="normal"><mount-name>${mount}</mount-name><fallback-mount>${fallback}</fallback-mount><fallback-override>1</fallback-override></mount>`,
  )
  return `<icecast>
  <limits><sources>${sources}</sources></limits>
  <authentication><source-password>${password}</source-password><admin-user>admin</admin-user><admin-password>${password}</admin-password></authentication>
  <hostname>localhost</hostname>
  <listen-socket><port>${port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
  <paths><basedir>${directory}</basedir><logdir>${directory}</logdir><webroot>${directory}</webroot><adminroot>${directory}</adminroot></paths>
  <logging><accesslog>-</accesslog><errorlog>-</errorlog><loglevel>1</loglevel></logging>
  ${mounts.join('\n  ')}
</icecast>
`
}
