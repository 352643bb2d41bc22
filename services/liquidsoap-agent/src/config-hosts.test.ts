import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readConfig } from '@skipcast/runtime'
import { agentEnv } from './config.ts'

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAQBUaCSNfT7ch7H5xI7GjUVCfE9wqNQnT5pJBdUQmYy'
const OF_ONE = {
  LIQUIDSOAP_HOST: 'engines.example.org',
  LIQUIDSOAP_SSH_KEY_PATH: '/etc/key',
  LIQUIDSOAP_SSH_HOST_KEY: `${KEY} root@there`,
}
const ICECAST = { ICECAST_HOST: 'radio.example.org' }

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'skipcast-hosts-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

const read = (variables: Record<string, string>) => readConfig({ agent: agentEnv }, variables).agent
const file = (content: unknown) => {
  const path = join(directory, `${Math.random()}.json`)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}
const problems = (variables: Record<string, string>): string => {
  try {
    read(variables)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

describe('the hosts of an agent', () => {
  test('are none by default, and the machine itself runs engines; so too with LIQUIDSOAP_HOST=localhost and no key', () => {
    for (const host of ['', 'localhost', '127.0.0.1'])
      expect(read({ LIQUIDSOAP_HOST: host })).toMatchObject({ isLocal: true, sshHosts: [] })
  })

  test('can be one, by variables, and engines run nowhere else unless that is said', () => {
    const { isLocal, sshHosts } = read({ ...OF_ONE, ...ICECAST })
    expect(isLocal).toBe(false)
    expect(sshHosts).toMatchObject([
      {
        id: 'engines.example.org',
        target: {
          host: 'engines.example.org',
          port: 22,
          user: 'skipcast-host',
          keyFile: '/etc/key',
          hostKey: { type: 'ssh-ed25519' },
        },
        icecast: { host: 'radio.example.org', port: 8000 },
      },
    ])
    expect(read({ ...OF_ONE, ...ICECAST, LIQUIDSOAP_LOCAL: 'true' }).isLocal).toBe(true)
  })

  test('can be many, by a file, in which each may differ', () => {
    const hosts = [
      { id: 'one', host: '10.0.0.1', hostKey: KEY },
      { id: 'two', host: '10.0.0.2', port: 2222, user: 'other', keyFile: '/k', hostKey: KEY, capacity: 5, labels: { zone: 'a' } },
    ]
    const own = { ...hosts[1], icecast: { host: '10.0.0.9', port: 9000 } }
    const variables = { LIQUIDSOAP_HOSTS_FILE: file({ hosts: [hosts[0], own] }), LIQUIDSOAP_SSH_KEY_PATH: '/etc/key', ...ICECAST }
    const { isLocal, sshHosts } = read(variables)
    expect(isLocal).toBe(false)
    expect(sshHosts).toMatchObject([
      { id: 'one', target: { port: 22, user: 'skipcast-host', keyFile: '/etc/key' }, capacity: 100, labels: {} },
      {
        id: 'two',
        target: { port: 2222, user: 'other', keyFile: '/k' },
        capacity: 5,
        labels: { zone: 'a' },
        icecast: own.icecast,
      },
    ])
  })

  test('are refused with all that is wrong at once, and what to do', () => {
    const told = problems({ LIQUIDSOAP_HOST: 'engines.example.org', ...ICECAST })
    expect(told).toContain('LIQUIDSOAP_SSH_KEY_PATH: is needed')
    expect(told).toContain('LIQUIDSOAP_SSH_HOST_KEY: is needed')
    expect(told).toContain('/etc/ssh/ssh_host_ed25519_key.pub')

    const bad = file({ hosts: [{ id: 'a b', host: 'x y', port: 0, hostKey: 'SHA256:abc', shell: '/bin/sh' }, { id: '..' }] })
    const ofFile = problems({ LIQUIDSOAP_HOSTS_FILE: bad, LIQUIDSOAP_SSH_PORT: '99999' })
    for (const part of [
      'hosts.0.id',
      'hosts.0.host',
      'hosts.0.port',
      'hosts.0.hostKey',
      'shell',
      'hosts.1.id',
      'hosts.1.host',
      'LIQUIDSOAP_SSH_PORT',
    ])
      expect(ofFile).toContain(part)
  })

  test('are refused where the file is none, names one twice, or leaves out the key', () => {
    const host = { id: 'one', host: '10.0.0.1', hostKey: KEY }
    expect(problems({ LIQUIDSOAP_HOSTS_FILE: join(directory, 'none') })).toContain('can not be read')
    expect(problems({ LIQUIDSOAP_HOSTS_FILE: file('{') })).toContain('can not be read')
    expect(problems({ LIQUIDSOAP_HOSTS_FILE: file({ hosts: [host, host] }) })).toContain('two hosts have the same id')
    expect(problems({ LIQUIDSOAP_HOSTS_FILE: file({ hosts: [host] }), ...ICECAST })).toContain('host one has no keyFile')
    const named = { ...host, id: 'engines.example.org' }
    expect(problems({ ...OF_ONE, ...ICECAST, LIQUIDSOAP_HOSTS_FILE: file({ hosts: [named] }) })).toContain(
      'has a host with the id',
    )
  })

  test('are refused where Icecast would be looked for on the host itself', () => {
    expect(problems(OF_ONE)).toContain('ICECAST_HOST: 127.0.0.1 is each machine itself')
    expect(problems({ ...OF_ONE, LIQUIDSOAP_HOST: '127.0.0.1' })).toBe('')
  })

  test('are pinned by a public key that is one', () => {
    for (const hostKey of [
      'ssh-ed25519',
      'ssh-ed25519 AAAA',
      `ssh-rsa ${KEY.split(' ')[1]}`,
      KEY.replace('ed25519', 'dss'),
      `${KEY}!`,
    ])
      expect(problems({ ...OF_ONE, ...ICECAST, LIQUIDSOAP_SSH_HOST_KEY: hostKey })).toContain("must be the host's public key")
  })
})
