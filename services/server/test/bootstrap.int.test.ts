import { spawn } from 'node:child_process'
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { runCommand, waitFor } from '@skipcast/runtime'
import { temporaryHome } from '@skipcast/testing'

const source = fileURLToPath(new URL('../../../deploy/bootstrap.mjs', import.meta.url))

test('in a fresh clone the command says what to do first, and does nothing', async () => {
  await using clone = await temporaryHome()
  await mkdir(join(clone.path, 'deploy'))
  const bootstrap = join(clone.path, 'deploy', 'bootstrap.mjs')
  await cp(source, bootstrap)
  await expect(runCommand(process.execPath, [bootstrap, 'skipcast', 'doctor'], { timeoutMs: 20_000 })).rejects.toMatchObject({
    code: 'COMMAND_FAILED',
    details: 'Nothing is set up here yet. Do that first, once: npm start\n',
  })
})

test('what npm started ends in good order with npm, also when npm alone is told to end', async () => {
  await using clone = await temporaryHome()
  const at = (...names: string[]) => join(clone.path, ...names)
  for (const folder of ['deploy', 'node_modules/.bin', 'services/server/src']) await mkdir(at(folder), { recursive: true })
  await cp(source, at('deploy', 'bootstrap.mjs'))
  await symlink(process.execPath, at('node_modules', '.bin', 'node'))
  await writeFile(at('package.json'), JSON.stringify({ scripts: { skipcast: 'node deploy/bootstrap.mjs skipcast' } }))
  await writeFile(
    at('services', 'server', 'src', 'skipcast.ts'),
    `const { writeFileSync } = require('node:fs')
    process.on('SIGTERM', () => { writeFileSync('ended', ''); process.exit() })
    setTimeout(() => process.exit(), 60_000)
    writeFileSync('started', '')`,
  )
  const isThere = (name: string) =>
    readFile(at(name)).then(
      () => true,
      () => false,
    )
  const npm = spawn('npm', ['run', 'skipcast'], { cwd: clone.path, stdio: 'ignore' })
  await waitFor('the command to run', () => isThere('started'), { timeoutMs: 20_000 })
  npm.kill('SIGTERM')
  await waitFor('the command to end', () => isThere('ended'), { timeoutMs: 10_000 })
}, 40_000)
