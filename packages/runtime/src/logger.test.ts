import { Writable } from 'node:stream'
import { beforeEach, expect, test } from '@jest/globals'
import { createLogger } from './logger.ts'

let written = ''
const destination = new Writable({
  write(chunk, _encoding, done) {
    written += String(chunk)
    done()
  },
})
beforeEach(() => {
  written = ''
})

test('I5: a log line never shows a secret field, and no value can forge a line', () => {
  const logger = createLogger({ level: 'info', destination })
  logger.info({ password: 'hunter2', user: { token: 'hunter2' }, name: 'a\n{"level":60}\u001b[2J' }, 'hello')
  expect(written).not.toContain('hunter2')
  expect(written.trimEnd().split('\n')).toHaveLength(1)
  expect(written).not.toContain('\u001b')
})

test('I5: nor on a terminal, neither in what is said nor in an error, and nothing there moves the cursor', () => {
  const logger = createLogger({ level: 'info', pretty: true, destination })
  logger.info({ title: 'a\u001b[2Jb\nforged' }, 'x\u001b[2Jy\nforged')
  expect(written.trimEnd().split('\n')).toHaveLength(1)
  logger.error({ err: new Error('x\u001b[2Jy\r\nforged') }, 'failed')
  logger.error(new Error('x\u009b2Jy\nforged'))
  expect(written).not.toMatch(/[^\P{Cc}\n]/u)
  expect(written).not.toMatch(/^forged/m)
})
