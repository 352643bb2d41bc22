import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'

const logger = fileURLToPath(new URL('../src/logger.ts', import.meta.url))

test.each([false, true])('a process lives on when its log is on a full disk (pretty: %s)', async (pretty) => {
  const script = `
    const { createLogger } = await import(${JSON.stringify(logger)})
    const logger = createLogger({ level: 'info', pretty: ${pretty} })
    for (let i = 0; i < 10; i++) {
      logger.info('a line')
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    process.stderr.write('alive')`
  await using full = await open('/dev/full', 'w')
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', full.fd, 'pipe'] })
  let said = ''
  child.stderr!.on('data', (chunk) => (said += String(chunk)))
  const [code] = await once(child, 'close')
  expect(said).toBe('alive')
  expect(code).toBe(0)
})
