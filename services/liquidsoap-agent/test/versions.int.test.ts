import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from '@jest/globals'
import { engineHostContract } from './engine-host.contract.ts'
import { localHostUnderTest } from './local-host-under-test.ts'
import { formatsContract } from './formats.contract.ts'
import { mixingContract } from './mixing.contract.ts'
import { offsetContract } from './offset.contract.ts'

// The same promises with the Liquidsoaps of other releases of Debian, each in a folder of its own.

const ROOT = process.env['SKIPCAST_CHROOTS'] ?? '/var/lib/skipcast-chroots'

for (const [release, version] of [
  ['trixie', '2.3'],
  ['sid', '2.4'],
] as const) {
  const directory = join(ROOT, release)
  const program = join(directory, 'run-liquidsoap')
  const name = `Liquidsoap ${version}, ${release}`
  if (existsSync(program)) {
    engineHostContract(name, localHostUnderTest(program))
    mixingContract(name, program)
    formatsContract(name, program)
    // With overlaps it begins at the beginning: see liquidsoap/README.md.
    offsetContract(name, program, ['copied', 'encoded', 'cued', 'aac', 'opus'])
  } else {
    console.warn(`NOT TESTED with ${name}: there is no ${program}.\nMake it: deploy/chroots/make-chroot ${release} ${directory}`)
    describe(name, () => test.skip(`is not there: deploy/chroots/make-chroot ${release} ${directory}`, () => {}))
  }
}
