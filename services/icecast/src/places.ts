import type { Home } from '@skipcast/runtime'
import { childUser, makeDirectory } from '@skipcast/runtime'
import { join } from 'node:path'
import type { IcecastConfig } from './config.ts'

/** What this role has in the home, made at first use and then always the same: an adopted icecast2 counts on it. */
export async function places(home: Home, config: IcecastConfig) {
  const user = childUser()
  const own = await home.directory('icecast', { mode: 0o711 })
  const front = await home.directory('icecast/haproxy', { owner: user })
  const child = await home.directory('icecast/icecast2', { owner: user })
  return {
    user,
    /** Where icecast2 and HAProxy may write; everything else they can't even read. */
    child,
    front,
    webroot: await makeDirectory(join(child, 'empty'), { owner: user }),
    epochs: await home.directory('icecast/epochs'),
    identityFile: join(own, 'icecast2.json'),
    frontIdentityFile: join(own, 'haproxy.json'),
    snapshotFile: join(own, 'wanted.json'),
    innerPort: await home.port('icecast-inner'),
    askPort: await home.port('icecast-ask'),
    sessionSecret: await home.secret('icecast-sessions'),
    pseudonymSecret: await home.secret('listener-pseudonym'),
    askSecret: await home.secret('icecast-ask'),
    adminPassword: config.adminPassword ?? (await home.secret('icecast-admin')),
    signingKey: config.signingKey ?? (await home.secret('source-signing-key')),
  }
}
