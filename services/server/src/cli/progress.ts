import type { UploadProgress } from '../upload-file.ts'

const MIB = 1024 ** 2
const BAR_LENGTH = 24
const LEAST_NAME = 8

/** `song.flac  ██████░░░░░░  50 %  3.0 of 6.0 MiB  1.5 MiB/s`, cut to fit into one row. */
export function progressLine(name: string, progress: UploadProgress, seconds: number, columns: number): string {
  const share = shareOf(progress)
  const filled = Math.round(share * BAR_LENGTH)
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_LENGTH - filled)
  const rate = seconds > 0 ? progress.sentBytes / seconds : 0
  const sizes = `${mib(progress.sentBytes)} of ${mib(progress.totalBytes)} MiB`
  const what = share < 1 ? `${mib(rate)} MiB/s` : 'being analysed'
  const rest = `  ${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${sizes}  ${what}`
  return `${cut(name, Math.max(LEAST_NAME, columns - 1 - rest.length))}${rest}`
}

/** The same for a file or a program that reads along: a line at each quarter of the way. */
export function quarterLines(name: string, write: (text: string) => void): (progress: UploadProgress) => void {
  let told = -1
  return (progress) => {
    const quarter = Math.floor(shareOf(progress) * 4)
    if (quarter <= told) return
    told = quarter
    write(`${name}: ${quarter * 25} % of ${mib(progress.totalBytes)} MiB sent`)
  }
}

function shareOf({ sentBytes, totalBytes }: UploadProgress): number {
  return totalBytes === 0 ? 1 : sentBytes / totalBytes
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(1)
}

function cut(text: string, length: number): string {
  const characters = Array.from(text)
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`
}
