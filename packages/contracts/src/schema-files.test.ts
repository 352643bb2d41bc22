import { describe, expect, test } from '@jest/globals'
import type { MessageSchema } from './json-schemas.ts'
import { compare, compareSchemas } from './schema-files.ts'

describe('the snapshots of the messages', () => {
  const compared = compareSchemas()

  test('no message changed under its version, but for added optional fields', () => {
    const advice = compared.flatMap(({ comparison }) => (comparison.kind === 'broken' ? [comparison.advice] : []))
    expect(advice.join('\n\n')).toBe('')
  })

  test('are those of now (npm run generate:schemas)', () => {
    expect(compared.filter(({ comparison }) => comparison.kind === 'grown').map(({ event }) => event)).toEqual([])
  })
})

describe('a message', () => {
  const schema = (fields: Record<string, object>, required: string[], version = 1): MessageSchema => ({
    title: 'track_failed',
    'x-topic': 'topic',
    'x-version': version,
    type: 'object',
    properties: fields,
    required,
  })
  const text = { type: 'string', maxLength: 10 }
  const before = schema({ reason: text, at: { type: 'object', properties: { a: text }, required: ['a'] } }, ['reason'])
  const { at } = before['properties'] as Record<string, object>

  test.each([
    ['an optional field', schema({ reason: text, at: at!, later: text }, ['reason'])],
    ['an optional field further in', schema({ reason: text, at: { ...at, properties: { a: text, b: text } } }, ['reason'])],
    ['whatever a risen version brings', schema({ other: text }, ['other'], 2)],
  ])('may grow by %s', (_, after) => {
    expect(compare('track_failed', before, after)).toEqual({ kind: 'grown' })
  })

  test.each([
    ['a field is gone', schema({ at: at! }, []), 'message.reason: is gone'],
    ['a new field is required', schema({ reason: text, at: at!, later: text }, ['reason', 'later']), 'later: is required now'],
    ['a field may be absent now', schema({ reason: text, at: at! }, []), 'reason: is no longer required'],
    ['a limit moved', schema({ reason: { ...text, maxLength: 9 }, at: at! }, ['reason']), 'reason.maxLength: 10 became 9'],
    ['a limit came', schema({ reason: { ...text, minLength: 1 }, at: at! }, ['reason']), 'reason.minLength: undefined became 1'],
    [
      'a field further in is gone',
      schema({ reason: text, at: { ...at, properties: {}, required: [] } }, ['reason']),
      'at.a: is gone',
    ],
    ['its topic is another', { ...before, 'x-topic': 'other' }, 'x-topic'],
    ['its version fell', schema({ other: text }, [], 0), 'x-version'],
  ])('is broken when %s, and it says what to do', (_, after, change) => {
    const comparison = compare('track_failed', before, after)
    const advice = comparison.kind === 'broken' ? comparison.advice : ''
    expect(advice).toContain(change)
    expect(advice).toContain('versions.ts: track_failed: 2')
    expect(advice).toContain('npm run generate:schemas')
  })
})
