import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { processesOf, temporaryHome } from '@skipcast/testing'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

test('a benchmark that is told to end leaves no process and no file behind', async () => {
  await using home = await temporaryHome()
  const run = spawn(process.execPath, [MAIN, 'idle-cost', 'rounds=1'], {
    env: { ...process.env, TMPDIR: home.path },
    stdio: 'ignore',
  })
  const ended = once(run, 'exit')
  const places = async () => (await readdir(home.path)).filter((name) => name.startsWith('skipcast-bench-'))
  const broker = async () => {
    const [place] = await places()
    return place !== undefined && (await processesOf(join(home.path, place))).some(({ command }) => command.includes('java'))
  }
  await waitFor('its broker', broker, { timeoutMs: 90_000 })
  run.kill('SIGTERM')
  await ended
  expect(await processesOf(home.path)).toEqual([])
  expect(await places()).toEqual([])
}, 180_000)
