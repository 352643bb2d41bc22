import { copyFile, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openAsBlob } from 'node:fs'
import { waitFor } from '@skipcast/runtime'
import { toneFile } from '../../tone-file.ts'
import type { Fault } from '../fault.ts'
import type { Station, StationChannel } from '../station.ts'

const TOLD_TIMEOUT_MS = 60_000
const SILENT_TRACK_S = 12

export const mediaFaults = {
  gone: {
    name: 'media deleted from the store',
    notice: 'nothing',
    async inject(station) {
      const { store } = await filesOf(station, station.quick)
      const at = performance.now()
      const putBack = await take(store, station.quick)
      return { at, channels: [station.quick], meanwhile: () => turns(station.quick, 2), mend: putBack }
    },
  },
  goneFromCache: {
    name: 'media deleted from the cache of the server',
    notice: 'interruption',
    async inject(station) {
      const { cached } = await filesOf(station, station.quick)
      const at = performance.now()
      await rm(cached)
      return { at, channels: [station.quick], meanwhile: () => turns(station.quick, 2) }
    },
  },
  goneEverywhere: {
    name: 'media deleted from store and cache',
    notice: 'interruption',
    async inject(station) {
      const { quick, status } = station
      const { store, cached } = await filesOf(station, quick)
      const at = performance.now()
      const putBack = await take(store, quick)
      await rm(cached)
      const isTold = () => status.phase(quick.slug) !== 'on_air'
      return {
        at,
        channels: [quick],
        meanwhile: () => waitFor('status to tell that nothing is left to play', isTold, { timeoutMs: TOLD_TIMEOUT_MS }),
        mend: putBack,
      }
    },
  },
  silence: {
    name: 'engine fed with silence',
    notice: 'interruption',
    async inject(station) {
      const { quick, api, status, home } = station
      const url = `/api/channels/${quick.slug}/media`
      const tone = await playlist(station)
      const file = await toneFile(join(home, 'silence.mp3'), { frequencyHz: 440, seconds: SILENT_TRACK_S, levelDbfs: -Infinity })
      const form = new FormData()
      form.set('media_file', await openAsBlob(file), 'silence.mp3')
      const { body } = await api.call('POST', '/api/media/upload', form)
      const at = performance.now()
      await exchange(station, url, [body.id], tone)
      return {
        at,
        channels: [quick],
        meanwhile: () =>
          waitFor('status to tell the silence', () => status.phase(quick.slug) === 'silent', { timeoutMs: TOLD_TIMEOUT_MS }),
        mend: () => exchange(station, url, tone, [body.id]),
      }
    },
  },
} satisfies Record<string, Fault>

/** A running stream keeps at least one piece, so the new ones come first. */
async function exchange({ api }: Station, url: string, come: readonly string[], go: readonly string[]): Promise<void> {
  for (const [method, media] of [
    ['POST', come],
    ['DELETE', go],
  ] as const) {
    const { status, body } = await api.call(method, url, { media_ids: media })
    if (status !== 200) throw new Error(`the API answered ${status} to a change of a playlist: ${JSON.stringify(body)}`)
  }
}

async function playlist({ api, quick }: Station): Promise<string[]> {
  const { body } = await api.call('GET', `/api/channels/${quick.slug}/media`)
  return body.data.map(({ id }: { id: string }) => id)
}

/** Where the one track of a channel lies, as its engine's plan tells. */
async function filesOf({ home }: Station, { id }: StationChannel): Promise<{ store: string; cached: string }> {
  const engines = join(home, 'agent', 'engines')
  for (const engine of await readdir(engines)) {
    const plan = await readFile(join(engines, engine, 'plans', `${id}.json`), 'utf8').catch(() => null)
    const sha256 = plan && /([0-9a-f]{64})\.mp3/.exec(plan)?.[1]
    if (!sha256) continue
    return {
      store: join(home, 'media', sha256.slice(0, 2), `${sha256}.mp3`),
      cached: join(home, 'agent', 'cache', `${sha256}.mp3`),
    }
  }
  throw new Error('no engine has a plan of this channel')
}

/** Takes a file away; resolves with how to put it back. */
async function take(file: string, { slug }: StationChannel): Promise<() => Promise<void>> {
  const aside = `${file}.${slug}`
  await copyFile(file, aside)
  await rm(file)
  return async () => {
    await copyFile(aside, file)
    await rm(aside)
  }
}

/** Waits until so many more tracks have begun. */
function turns({ listeners: [ear] }: StationChannel, count: number): Promise<unknown> {
  const before = ear!.titles.length
  return waitFor(`${count} more tracks`, () => ear!.titles.length >= before + count, { timeoutMs: TOLD_TIMEOUT_MS })
}
