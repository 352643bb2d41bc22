import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { freePort, runCommand, waitFor } from '@skipcast/runtime'
import type { S3Config } from '../config.ts'

const POM = fileURLToPath(new URL('s3proxy.xml', import.meta.url))
/** Fetched once for all test runs of this checkout. */
const JARS = fileURLToPath(new URL('../../../../node_modules/.cache/skipcast-s3proxy-2.7.0', import.meta.url))
const FETCH_LIMIT_MS = 5 * 60_000
const START_LIMIT_MS = 60_000
const JAVA = 'java'
const BUCKET = 'skipcast-media'
const FLAGS = ['-Xmx160m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto']
const LOGBACK = '<configuration><root level="OFF"/></configuration>'

/** A real object store (S3Proxy on a folder) with an empty bucket, on loopback. Needs Java and, the first time, Maven. */
export interface S3Server extends AsyncDisposable {
  readonly config: S3Config
  /** The same as variables. */
  readonly environment: Readonly<Record<string, string>>
  /** Where it keeps its objects: `<bucket>/<kind>/…`. */
  readonly folder: string
  /** It stops answering; what it has stays. */
  pause(): Promise<void>
  resume(): Promise<void>
}

export async function s3Server(): Promise<S3Server> {
  const jars = await fetchJars()
  const root = await mkdtemp(join(tmpdir(), 'skipcast-s3-'))
  const folder = join(root, 'data')
  await mkdir(folder)
  const config: S3Config = {
    endpoint: `http://127.0.0.1:${await freePort()}`,
    bucket: BUCKET,
    region: 'us-east-1',
    accessKeyId: 'skipcast-test',
    secretAccessKey: 'only-for-this-test',
    forcePathStyle: true,
  }
  const settings = {
    's3proxy.endpoint': config.endpoint,
    's3proxy.authorization': 'aws-v2-or-v4',
    's3proxy.identity': config.accessKeyId,
    's3proxy.credential': config.secretAccessKey,
    'jclouds.provider': 'filesystem-nio2',
    'jclouds.identity': 'none',
    'jclouds.credential': 'none',
    'jclouds.filesystem.basedir': folder,
  }
  await writeFile(
    join(root, 's3proxy.conf'),
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  )
  await writeFile(join(root, 'logback.xml'), LOGBACK)
  const classes = ['-cp', join(jars, '*'), 'org.gaul.s3proxy.Main', '--properties', join(root, 's3proxy.conf')]
  const argv = [...FLAGS, `-Dlogback.configurationFile=${join(root, 'logback.xml')}`, ...classes]
  const port = Number(new URL(config.endpoint!).port)
  let server: ChildProcess
  const resume = async () => {
    server = spawn(JAVA, argv, { stdio: 'ignore' })
    await waitFor('the object store to listen', () => listens(port), { timeoutMs: START_LIMIT_MS })
  }
  const pause = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return
    server.kill('SIGKILL')
    await once(server, 'exit')
  }
  const killWithUs = () => server.kill('SIGKILL')
  process.once('exit', killWithUs)
  await resume()
  const { accessKeyId, secretAccessKey, forcePathStyle, region, endpoint } = config
  const client = new S3Client({
    endpoint: endpoint!,
    region,
    forcePathStyle,
    credentials: { accessKeyId, secretAccessKey },
  })
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }))
  client.destroy()
  return {
    config,
    environment: {
      MEDIA_STORE: 's3',
      S3_ENDPOINT: endpoint!,
      S3_BUCKET: BUCKET,
      S3_ACCESS_KEY_ID: accessKeyId,
      S3_SECRET_ACCESS_KEY: secretAccessKey,
    },
    folder,
    pause,
    resume,
    async [Symbol.asyncDispose]() {
      process.off('exit', killWithUs)
      await pause()
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** The jars, whole or not at all: two test files may ask at once. */
async function fetchJars(): Promise<string> {
  const areThere = () =>
    readdir(JARS).then(
      (names) => names.length > 0,
      () => false,
    )
  if (await areThere()) return JARS
  const draft = `${JARS}.${process.pid}.tmp`
  try {
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${draft}`]
    await runCommand('mvn', ['-B', '-q', '-f', POM, ...goal], { timeoutMs: FETCH_LIMIT_MS })
    await rename(draft, JARS).catch(async (error: unknown) => {
      if (!(await areThere())) throw error
    })
    return JARS
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
