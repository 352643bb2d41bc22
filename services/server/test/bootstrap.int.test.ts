import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { runCommand } from '@skipcast/runtime'
import { temporaryHome } from '@skipcast/testing'

test('in a fresh clone the command says what to do first, and does nothing', async () => {
  await using clone = await temporaryHome()
  await mkdir(join(clone.path, 'deploy'))
  const bootstrap = join(clone.path, 'deploy', 'bootstrap.mjs')
  await cp(fileURLToPath(new URL('../../../deploy/bootstrap.mjs', import.meta.url)), bootstrap)
  await expect(runCommand(process.execPath, [bootstrap, 'skipcast', 'doctor'], { timeoutMs: 20_000 })).rejects.toMatchObject({
    code: 'COMMAND_FAILED',
    details: 'Nothing is set up here yet. Do that first, once: npm start\n',
  })
})
