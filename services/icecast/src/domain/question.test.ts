import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { readQuestion } from './question.ts'

const read = (body: string) => readQuestion(new URLSearchParams(body))

describe('readQuestion', () => {
  test('reads what Icecast 2.4 sends, and 2.5 with its encoded underscores', () => {
    const source = { kind: 'source', path: '/demo', user: 'source', password: 'a~1~b' }
    expect(read('action=stream_auth&mount=%2fdemo&ip=127%2e0%2e0%2e1&user=source&pass=a%7e1%7eb')).toEqual(source)
    expect(read('action=stream%5fauth&mount=%2fdemo&user=source&pass=a%7e1%7eb')).toEqual(source)
    expect(read('action=mount_add&mount=%2fdemo')).toEqual({ kind: 'source-started', path: '/demo' })
    expect(read('action=mount_remove&mount=%2fdemo')).toEqual({ kind: 'source-ended', path: '/demo' })
  })

  test('tells an admin command from a source', () => {
    expect(read('action=stream_auth&mount=%2fdemo&user=&pass=&admin=1')).toEqual({
      kind: 'admin',
      path: '/demo',
      user: '',
      password: '',
    })
  })

  test("takes the query string off a listener's mount, but not off a source's", () => {
    expect(read('action=listener_add&client=7&mount=%2fdemo%3ftoken%3dx&agent=vlc')).toMatchObject({
      path: '/demo',
      monitor: null,
    })
    expect(read('action=listener_add&mount=%2fdemo&agent=skipcast-monitor%2f1')).toMatchObject({ monitor: { asked: null } })
    expect(read('action=listener_add&mount=%2fw%2fdemo&agent=skipcast-monitor+%2fw%2fdemo')).toMatchObject({
      monitor: { asked: '/w/demo' },
    })
    expect(read('action=stream_auth&mount=%2fdemo%3fx&user=source&pass=')).toMatchObject({ path: '/demo?x' })
  })

  test('I2: missing fields make no question, or one with empty credentials', () => {
    expect(read('')).toBeNull()
    expect(read('action=stream_auth')).toBeNull()
    expect(read('mount=%2fa')).toBeNull()
    expect(read('action=stream_auth&mount=%2fa')).toMatchObject({ user: '', password: '' })
  })

  test('never throws, whatever the body is', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (body) => void read(body)))
    fc.assert(fc.property(fc.webQueryParameters(), (body) => void read(`action=stream_auth&mount=${body}`)))
  })
})
