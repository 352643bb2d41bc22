import { describe, expect, test } from '@jest/globals'
import { javaFlags, serverProperties } from './broker-files.ts'

const place = {
  listenHost: '127.0.0.1',
  advertisedHost: '127.0.0.1',
  port: 9092,
  controllerPort: 9093,
  dataDirectory: '/home/data',
}

describe('serverProperties', () => {
  test('opens no port beyond loopback by itself, and makes no topic by accident', () => {
    const properties = serverProperties(place)
    expect(properties).toContain('listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093\n')
    expect(properties).toContain('auto.create.topics.enable=false\n')
  })

  test('keeps the controller on loopback also when the broker serves others', () => {
    const properties = serverProperties({ ...place, listenHost: '::', advertisedHost: 'kafka.example' })
    expect(properties).toContain('listeners=PLAINTEXT://[::]:9092,CONTROLLER://127.0.0.1:9093\n')
    expect(properties).toContain('advertised.listeners=PLAINTEXT://kafka.example:9092\n')
  })

  test('a path can not become an escape', () => {
    expect(serverProperties({ ...place, dataDirectory: 'C:\\new' })).toContain('log.dirs=C:\\\\new\n')
  })
})

describe('javaFlags', () => {
  test('a heap below the usual beginning is not exceeded by it', () => {
    expect(javaFlags(64)).toEqual(expect.arrayContaining(['-Xms64m', '-Xmx64m']))
    expect(javaFlags(512)).toEqual(expect.arrayContaining(['-Xms64m', '-Xmx512m']))
  })
})
