import { childUser, messageOf } from '@skipcast/runtime'
import { existsSync } from 'node:fs'
import { readFile, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { readConfigs } from '../configs.ts'
import { finding, type Finding } from './finding.ts'

const GIB = 1024 ** 3
/** PostgreSQL, Kafka and their programs take about 0.3 GiB before the first piece of music. */
const LEAST_FREE_GIB = 1
const LEAST_NODE_MAJOR = 24
/** What a process holds open beside its connections. */
const OTHER_FILES = 200

/** Node, disk, open files and the user that children run as. */
export async function checkMachine(home: string, roles: ReturnType<typeof readConfigs>['roles']): Promise<Finding[]> {
  const { node } = process.versions
  return [
    finding(
      `Node ${node}`,
      Number(node.split('.')[0]) >= LEAST_NODE_MAJOR,
      `Node ${LEAST_NODE_MAJOR} is needed, and comes with the dependencies: start this by \`npm run skipcast -- doctor\`.`,
    ),
    await checkDisk(home),
    await checkOpenFiles(roles),
    checkChildUser(),
  ]
}

async function checkDisk(home: string): Promise<Finding> {
  let directory = home
  while (!existsSync(directory)) directory = dirname(directory)
  const { bavail, bsize } = await statfs(directory)
  const freeGib = (bavail * bsize) / GIB
  return finding(
    `disk of ${home}: ${freeGib.toFixed(1)} GiB free`,
    freeGib >= LEAST_FREE_GIB,
    `Free ${LEAST_FREE_GIB} GiB there, or give Skipcast another place: SKIPCAST_HOME=/large/disk`,
  )
}

/** The front before icecast2 holds two sockets for each listener and each engine, and every other source is the role's own. Children may have what this process may. */
async function checkOpenFiles(roles: ReturnType<typeof readConfigs>['roles']): Promise<Finding> {
  const [, hard] = /^Max open files +\S+ +(\S+)/m.exec(await readFile('/proc/self/limits', 'utf8')) ?? []
  const limit = hard === undefined || hard === 'unlimited' ? Infinity : Number(hard)
  const { icecast } = roles
  const needed = OTHER_FILES + (icecast ? 2 * icecast.maxListeners + icecast.maxSources : 1000)
  return finding(
    `open files: ${limit} allowed, ${needed} needed at most`,
    limit >= needed,
    'Allow more (`ulimit -n`, or LimitNOFILE= of the service unit), or lower ICECAST_MAX_LISTENERS and ICECAST_MAX_SOURCES.',
  )
}

function checkChildUser(): Finding {
  try {
    const user = childUser()
    return { what: user ? `children run as ${user.name}` : 'children run as this user' }
  } catch (error) {
    return { what: messageOf(error), problem: { cure: '`npm start` as root makes this user, too.' } }
  }
}
