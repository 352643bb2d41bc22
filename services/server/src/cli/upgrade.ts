import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { textOption, UsageError, type Command } from './command.ts'
import { openApi } from './open-api.ts'
import { upgradeServer } from './upgrade-server.ts'

const DEFAULT_WITHIN_S = 300
const MOST_WITHIN_S = 86_400

export const upgrade: Command = {
  name: 'servers upgrade',
  takes: 'SERVER [--within SECONDS] -- COMMAND…',
  summary: `Empty a server, run a command, and let it have channels again whatever became of it. Nobody hears it: each channel leaves once another server plays it. What has not left within ${DEFAULT_WITHIN_S} seconds is told with why, and the command is not run. The command is run as it is, without a shell, here: begin it with ssh HOST for another machine.`,
  arguments: [2, 1000],
  options: { within: { type: 'string' } },
  async run(call) {
    const within = textOption(call, 'within') ?? `${DEFAULT_WITHIN_S}`
    if (!/^\d{1,5}$/.test(within) || Number(within) > MOST_WITHIN_S)
      throw new UsageError(`--within is a number of seconds, ${MOST_WITHIN_S} at most`)
    const [serverId, ...command] = call.arguments as [string, ...string[]]
    const api = await openApi(call)
    const signal = call.interrupted()
    const ports = {
      api,
      terminal: call.terminal,
      run: runHere,
      pause: (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined),
      isInterrupted: () => signal.aborted,
      clock: () => performance.now(),
    }
    return upgradeServer(ports, { serverId, command, limitMs: Number(within) * 1000 })
  },
}

/** Ctrl-C reaches it from the terminal, as it does us; it is never killed by us, so that no installation is torn. */
async function runHere([program, ...words]: readonly string[]): Promise<number | string> {
  const child = spawn(program!, words, { stdio: 'inherit' })
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
    return code ?? `ended by ${signal}`
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? 'there is no such program' : code === 'EACCES' ? 'this user may not run it' : String(code)
  }
}
