import { isAppError } from '@skipcast/runtime'
import { ApiRefusal } from '../api-client.ts'
import { tellError } from '../tell-error.ts'
import { plain } from './terminal.ts'

/** What went wrong and what to do about it. */
export function tellFailure(error: unknown): string {
  if (error instanceof ApiRefusal) {
    const advice = error.status === 401 ? '\nSet SKIPCAST_TOKEN, or SKIPCAST_HOME to the home whose administrator you are.' : ''
    return `${plain(error.message)}${advice}`
  }
  if (isAppError(error, 'HOST_UNREACHABLE'))
    return `${error.message}.\nStart it with \`npm start\`, or say where it is: SKIPCAST_API=http://host:port`
  if (isAppError(error, 'BUS_UNAVAILABLE'))
    return `${error.message}.\nIs it running, and is KAFKA_BROKER right? The in-memory bus (EVENT_BUS=memory) can't be reached from outside its process.`
  if (isAppError(error, 'ICECAST_UNAVAILABLE'))
    return `${error.message}.\nAre ICECAST_HOST, ICECAST_PORT and ICECAST_PASSWORD right?`
  const { code, path, syscall } = error as NodeJS.ErrnoException
  if (code !== undefined && syscall !== undefined && path !== undefined) return `${plain(path)}: ${reasons[code] ?? code}`
  return tellError(error)
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file. Look at the path',
  EACCES: 'this user may not read it. Change its permissions, or run this as its owner',
  EISDIR: 'is a directory. Name the files in it',
}
