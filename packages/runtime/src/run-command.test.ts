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

test('a command that falls silent is killed, and one that goes on printing is not', async () => {
  const limits = { timeoutMs: 30_000, silenceMs: 1000 }
  await expect(runCommand('sh', ['-c', 'echo begun; exec sleep 30'], limits)).rejects.toMatchObject({
    code: 'COMMAND_FAILED',
    message: expect.stringContaining('limit 1000 ms'),
  })
  const steps = 'for i in 1 2 3 4 5 6 7; do echo $i; sleep 0.2; done'
  expect((await runCommand('sh', ['-c', steps], limits)).stdout.toString()).toContain('7')
})

test('a command is killed when the stop comes, and its output can be taken as it comes', async () => {
  const stop = new AbortController()
  const onOutput = (chunk: Buffer) => {
    expect(chunk.toString()).toBe('begun\n')
    stop.abort()
  }
  await expect(
    runCommand('sh', ['-c', 'echo begun; exec sleep 30'], { timeoutMs: 30_000, stop: stop.signal, onOutput }),
  ).rejects.toMatchObject({ code: 'COMMAND_FAILED', message: expect.stringContaining('was stopped') })
})
