import { AppError, isAppError, messageOf } from '@skipcast/runtime'
import type { SshTarget } from '../../domain/ssh-target.ts'
import { lineOf } from '../engine-script.ts'
import { sshLink } from './ssh-link.ts'
import { versionOf } from './ssh-machine.ts'

/** What was found of a host: its Liquidsoap, or what is wrong, with what to do. */
export type HostCheck = { readonly liquidsoap: string } | { readonly problem: string }

/** Looks once whether a host can be reached, is the one that was pinned, lets us in, and has a Liquidsoap that we have a script for. Changes nothing. */
export async function checkSshHost(target: SshTarget): Promise<HostCheck> {
  let lost: AppError | null = null
  await using link = sshLink({ target, tell: { hostReached() {}, hostLost: (error) => (lost ??= error) } })
  await link.firstTry
  try {
    if (lost) throw lost as AppError
    const text = await versionOf(link)
    lineOf(text)
    return { liquidsoap: /^Liquidsoap (\S+)/.exec(text)?.[1] ?? 'unknown' }
  } catch (error) {
    if (!isAppError(error)) throw error
    return { problem: messageOf(error) }
  }
}
