import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { readConfigs } from '../src/configs.ts'
import { roles } from '../src/config.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const SECRETS = { POSTGRES_PASSWORD: 'p'.repeat(20), ICECAST_PASSWORD: 'i'.repeat(20), SOURCE_SIGNING_KEY: 's'.repeat(32) }
const run = promisify(execFile)

interface Compose {
  readonly services: Readonly<Record<string, Service>>
}
interface Service {
  readonly image: string
  readonly environment: Readonly<Record<string, string>>
  readonly ports?: readonly { readonly target: number; readonly published: string }[]
}

/** The compose of this machine, as a plugin or by itself; it only reads the file. */
async function findCompose(): Promise<readonly string[] | null> {
  for (const command of [['docker', 'compose'], ['docker-compose']] as const) {
    const [program, ...first] = command
    const found = await run(program, [...first, 'version', '--short']).catch(() => null)
    if (found && /^v?[2-9]/.test(found.stdout)) return command
  }
  return null
}

const compose = await findCompose()
if (!compose)
  console.warn('SKIPPED: docker-compose.yml was not looked at, as this machine has no docker compose of version 2 or newer')

async function config(variables: Record<string, string>): Promise<Compose> {
  const [program, ...first] = compose!
  const { stdout } = await run(
    program!,
    [...first, '--env-file', '/dev/null', '--file', `${ROOT}docker-compose.yml`, 'config', '--format', 'json'],
    {
      cwd: ROOT,
      env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...variables },
    },
  )
  return JSON.parse(stdout) as Compose
}

;(compose ? describe : describe.skip)('docker-compose.yml', () => {
  test('is taken by docker compose, and each of our services starts with the variables it is given there', async () => {
    const { services } = await config(SECRETS)
    const ours = Object.values(services).filter(({ image }) => image === 'skipcast')
    const served = ours.flatMap(({ environment }) => {
      const { server, bus } = readConfigs(environment)
      expect(bus.brokers).toEqual(['kafka:9092'])
      return [...server.roles]
    })
    expect(served.toSorted()).toEqual(roles.filter((role) => role !== 'kafka').toSorted())
    expect(services).toHaveProperty('kafka')
    expect(services).toHaveProperty('postgres')
  })

  test('names the secret that is missing', async () => {
    for (const missing of Object.keys(SECRETS)) await expect(config({ ...SECRETS, [missing]: '' })).rejects.toThrow(missing)
  })

  test('shows the public nothing but the API (to this machine) and the front of Icecast, with TLS where there is a certificate', async () => {
    const plain = await config(SECRETS)
    const published = Object.entries(plain.services).flatMap(
      ([name, { ports }]) => ports?.map(({ target }) => `${name}:${target}`) ?? [],
    )
    expect(published.toSorted()).toEqual(['api:3000', 'icecast:8000', 'icecast:8443'])
    const tlsOf = ({ services }: Compose) => readConfigs(services['icecast']!.environment).roles.icecast!.front.tls
    expect(tlsOf(plain)).toBeNull()
    expect(tlsOf(await config({ ...SECRETS, TLS_CERTIFICATE_FILE: '/etc/radio.pem' }))).toEqual({
      certificateFile: '/run/certificate.pem',
      port: 8443,
    })
  })
})

test('the image has every program that a role runs', () => {
  const read = (path: string) => readFileSync(`${ROOT}${path}`, 'utf8')
  const needed = /const needed = \{([^}]*)\}/.exec(read('deploy/bootstrap.mjs'))![1]!
  const installed = /apt-get install ([^\n]*)/.exec(read('deploy/docker/Dockerfile'))![1]!.split(' ')
  const packages = [...needed.matchAll(/: '([^']+)'/g)].map(([, name]) => name)
  expect(packages.length).toBeGreaterThan(2)
  expect(installed).toEqual(expect.arrayContaining(packages))
})
