import { describe, expect, test } from '@jest/globals'
import { runCommandLine } from './command-line.ts'
import { commands } from './commands.ts'
import type { Terminal } from './terminal.ts'

async function run(...words: string[]) {
  const printed: string[] = []
  const noted: string[] = []
  const terminal: Terminal = {
    print: (text) => void printed.push(text),
    note: (text) => void noted.push(text),
    draw: () => {},
    settle: () => {},
    isWatched: false,
    columns: 80,
  }
  const code = await runCommandLine(words, { SKIPCAST_HOME: '/nowhere', SKIPCAST_API: 'gopher://x' }, terminal)
  return { code, printed: printed.join('\n'), noted: noted.join('\n') }
}

describe('the command line', () => {
  test.each([[[]], [['help']], [['--help']]])('%j shows every command', async (words) => {
    const { code, printed } = await run(...words)
    expect(code).toBe(0)
    for (const { name } of commands) expect(printed).toContain(`  ${name}`)
  })

  test('help about one command, asked for either way, shows its options and runs nothing', async () => {
    for (const words of [
      ['media', 'add', '--help'],
      ['help', 'media', 'add'],
    ]) {
      const { code, printed } = await run(...words)
      expect(code).toBe(0)
      expect(printed).toContain('-c, --channel VALUE')
    }
  })

  test('what stands behind -- is meant for another program', async () => {
    const { code, noted } = await run('servers', 'upgrade', 'a', '--', 'program', '--help')
    expect([code, noted]).toEqual([1, expect.stringContaining('SKIPCAST_API')])
    expect((await run('servers', 'upgrade', 'a', '--within', 'soon', '--', 'program')).code).toBe(2)
  })

  test.each([
    [['dance'], /no command "dance"/],
    [['channels'], /channels list/],
    [['channels', 'start'], /Something is missing/],
    [['channels', 'start', 'a', 'b'], /"b" is too much/],
    [['channels', 'list', '--colour'], /--colour/],
  ])('%j is not understood, and it says why (exit code 2)', async (words, said) => {
    const { code, printed, noted } = await run(...words)
    expect(code).toBe(2)
    expect(noted).toMatch(said)
    expect(printed).toBe('')
  })

  test('a bad variable is told by its name (exit code 1)', async () => {
    const { code, noted } = await run('channels', 'list')
    expect(code).toBe(1)
    expect(noted).toContain('SKIPCAST_API')
  })
})
