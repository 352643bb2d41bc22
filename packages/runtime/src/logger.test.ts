import { Writable } from 'node:stream'
import { expect, test } from '@jest/globals'
import { createLogger } from './logger.ts'

test('a log line never shows a secret field, and no value can forge a line (I5)', () => {
  let written = ''
  const destination = new Writable({
    write(chunk, _encoding, done) {
      written += String(chunk)
      done()
    },
  })
  const logger = createLogger({ level: 'info', destination })
  logger.info({ password: 'hunter2', user: { token: 'hunter2' }, name: 'a\n{"level":60}\u001b[2J' }, 'hello')
  expect(written).not.toContain('hunter2')
  expect(written.trimEnd().split('\n')).toHaveLength(1)
  expect(written).not.toContain('\u001b')
})
