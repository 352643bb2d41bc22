import { openHome } from '@skipcast/runtime'
import { lockRoles } from '../src/role-locks.ts'

/** Locks a role of the home that it is told, and tells whether it got it. It keeps it until killed. */
process.once('message', (path: string) => {
  void (async () => {
    const locked = await lockRoles(await openHome(path), new Set(['api'] as const)).then(
      () => true,
      () => false,
    )
    process.send!(locked)
  })()
})
process.once('disconnect', () => process.exit(0))
process.send!('ready')
