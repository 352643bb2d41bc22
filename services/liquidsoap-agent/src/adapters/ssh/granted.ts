import { AppError } from '@skipcast/runtime'
import type { SshLink } from './ssh-link.ts'

/** How long the way to a machine and back may take, whatever is asked of it. */
export const VERB_TIMEOUT_MS = 2000

/** Asks for what can only fail with the machine itself. Rejects as `SshLink.request` does, with NO_SPACE, or with COMMAND_FAILED. */
export async function granted(
  link: Pick<SshLink, 'request'>,
  verb: string,
  args: readonly (string | number)[],
  { data = '', timeoutMs = VERB_TIMEOUT_MS }: { data?: string; timeoutMs?: number } = {},
): Promise<Buffer> {
  const answer = await link.request(verb, args, { data, timeoutMs })
  if (answer.ok) return answer.data
  if (answer.code === 'space') throw new AppError('NO_SPACE', 'The disk of the host is full')
  const details = answer.data.toString('utf8').slice(0, 500)
  throw new AppError('COMMAND_FAILED', `The host refused to ${verb} (${answer.code})`, { details })
}
