import { expect, test } from '@jest/globals'
import { runCommand } from './run-command.ts'

test('a command gets its arguments as they are, through no shell', async () => {
  const hostile = '$(touch canary) `id` "; #{x}'
  const { stdout } = await runCommand('printf', ['%s', hostile], { timeoutMs: 2000 })
  expect(stdout.toString()).toBe(hostile)
})

test('a command that fails, hangs or is missing is told apart', async () => {
  await expect(runCommand('sh', ['-c', 'echo why >&2; exit 3'], { timeoutMs: 2000 })).rejects.toMatchObject({
    code: 'COMMAND_FAILED',
    message: expect.stringContaining('exit code 3'),
    details: 'why\n',
  })
  await expect(runCommand('sleep', ['5'], { timeoutMs: 50 })).rejects.toMatchObject({
    message: expect.stringContaining('limit 50 ms'),
  })
  await expect(runCommand('no-such-program', [], { timeoutMs: 50 })).rejects.toMatchObject({ code: 'PROGRAM_MISSING' })
})
