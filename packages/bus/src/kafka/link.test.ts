import { createLogger, healthBoard } from '@skipcast/runtime'
import { describe, expect, test } from '@jest/globals'
import { Writable } from 'node:stream'
import { link } from './link.ts'

describe('link', () => {
  test('an outage that is expected is told to health alone, until it lasts longer than that', () => {
    const lines: string[] = []
    const destination = new Writable({ write: (chunk, _encoding, done) => (lines.push(JSON.parse(String(chunk)).msg), done()) })
    const health = healthBoard()
    let isStarting = true
    const made = link(createLogger({ level: 'info', destination }), health, () => isStarting)
    made.down('watch', new Error('refused'))
    expect(health.read()['bus']).toEqual({ ok: false, problem: 'watch: refused' })
    made.up('watch')
    expect(lines).toEqual([])
    made.down('watch', new Error('refused'))
    isStarting = false
    made.down('watch', new Error('refused'))
    expect(lines).toEqual(['Kafka is out of reach: trying again'])
  })

  test('an outage is one line at its beginning and one at its end, whoever notices it', () => {
    const lines: string[] = []
    const destination = new Writable({ write: (chunk, _encoding, done) => (lines.push(JSON.parse(String(chunk)).msg), done()) })
    const health = healthBoard()
    const made = link(createLogger({ level: 'info', destination }), health)
    made.up('publish')
    expect(health.read()).toEqual({ bus: { ok: true, problem: null } })
    for (let times = 0; times < 3; times++) {
      made.down('publish', new Error('refused'))
      made.down('watch', new Error('refused'))
    }
    made.up('publish')
    expect(health.read()['bus']).toEqual({ ok: false, problem: 'watch: refused' })
    made.forget('watch')
    expect(health.read()['bus']).toEqual({ ok: true, problem: null })
    expect(lines).toEqual(['Kafka is out of reach: trying again', 'Kafka is there again'])
  })
})
