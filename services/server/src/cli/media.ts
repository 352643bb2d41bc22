import { basename } from 'node:path'
import { ApiRefusal, isRefusal, type ApiClient, type Media } from '../api-client.ts'
import { DONE, FAILED, textOption, type Command } from './command.ts'
import { openApi } from './open-api.ts'
import { progressLine, quarterLines } from './progress.ts'
import { tellFailure } from './tell-failure.ts'
import { plain, type Terminal } from './terminal.ts'

const MIB = 1024 ** 2

const add: Command = {
  name: 'media add',
  takes: 'FILE… [--channel CHANNEL]',
  summary: 'Upload music, and append it to a channel’s playlist. A file that is refused does not hold up the others.',
  arguments: [1, 10_000],
  options: { channel: { type: 'string', short: 'c' } },
  async run(call) {
    const { terminal } = call
    const api = await openApi(call)
    const channel = textOption(call, 'channel')
    if (channel !== undefined) await api.status(channel) // an upload is long: a wrong name is told before it
    const added: Media[] = []
    let refused = 0
    for (const file of call.arguments) {
      try {
        const media = await uploadWithProgress(api, file, terminal)
        added.push(media)
        terminal.print(`${media.id}  ${plain(media.artist === '' ? media.title : `${media.artist} - ${media.title}`)}`)
      } catch (error) {
        if (!isAboutTheFile(error)) throw error
        refused += 1
        terminal.note(`${plain(basename(file))}: ${tellFailure(error)}`)
      }
    }
    if (channel !== undefined && added.length > 0) {
      await api.attach(
        channel,
        added.map(({ id }) => id),
      )
      terminal.note(`${added.length} of ${call.arguments.length} on the playlist of ${plain(channel)}`)
    }
    return refused === 0 ? DONE : FAILED
  },
}

const sweep: Command = {
  name: 'media sweep',
  takes: '[--dry-run]',
  summary:
    'Remove the files of the media store that no piece and no channel names any more, a day after they came, as happens each hour by itself. --dry-run: only tell what would go.',
  arguments: [0, 0],
  options: { 'dry-run': { type: 'boolean' } },
  async run(call) {
    const api = await openApi(call)
    const isDry = call.options['dry-run'] === true
    let [files, bytes] = [0, 0]
    for (;;) {
      const pass = await api.sweepMedia(isDry ? 'look' : 'remove')
      files += pass.files
      bytes += pass.bytes
      if (!isDry && !pass.complete && pass.files > 0) continue
      call.terminal.print(`${files} files, ${(bytes / MIB).toFixed(1)} MiB, ${isDry ? 'would go' : 'removed'}`)
      if (!pass.complete) call.terminal.note('There was no time to look at all of it; the server’s own sweep does.')
      return DONE
    }
  },
}

export const mediaCommands: readonly Command[] = [add, sweep]

async function uploadWithProgress(api: ApiClient, file: string, terminal: Terminal): Promise<Media> {
  const name = plain(basename(file))
  const startedAt = performance.now()
  const tellQuarter = quarterLines(name, (text) => terminal.note(text))
  return api.upload(file, (progress) => {
    const seconds = (performance.now() - startedAt) / 1000
    if (terminal.isWatched) terminal.draw(progressLine(name, progress, seconds, terminal.columns))
    else tellQuarter(progress)
  })
}

/** The next file may fare better. */
function isAboutTheFile(error: unknown): boolean {
  if (error instanceof ApiRefusal) return [400, 413, 415, 422].some((status) => isRefusal(error, status))
  return ['ENOENT', 'EACCES', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
}
