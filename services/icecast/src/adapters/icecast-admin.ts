import { airFormatOf } from '@skipcast/audio'
import { AppError, httpGet, messageOf, type HttpAnswer } from '@skipcast/runtime'
import { readListener } from '../domain/guests.ts'
import type { ObservedMount } from '../domain/plan.ts'
import type { IcecastAdmin, MountListener } from '../ports.ts'

const TIMEOUT_MS = 2000
/** `listmounts` has about 180 bytes a mount. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024

/** Icecast's `/admin/` pages over HTTP. The password travels in a header, never in an address. */
export function icecastAdmin(at: { host: string; port: number; user: string; password: string }): IcecastAdmin {
  const base = new URL(`http://${at.host}:${at.port}`)

  async function ask(command: string, query: Record<string, string>, signal?: AbortSignal): Promise<HttpAnswer> {
    const url = new URL(`/admin/${command}?${new URLSearchParams(query).toString()}`, base)
    const { user, password } = at
    const options = { user, password, timeoutMs: TIMEOUT_MS, maxBytes: MAX_ANSWER_BYTES, ...(signal && { signal }) }
    const answer = await httpGet(url, options).catch((cause: unknown) => {
      throw new AppError('ICECAST_UNAVAILABLE', `Icecast did not answer: ${messageOf(cause)}`, { cause })
    })
    if (answer.status !== 200 && answer.status !== 400)
      throw new AppError('ICECAST_UNAVAILABLE', `Icecast answered ${command} with status ${answer.status}`)
    return answer
  }

  return {
    async mounts() {
      return readMounts((await ask('listmounts', {})).body)
    },
    async listeners(mount) {
      const { status, body } = await ask('listclients', { mount })
      return status === 200 ? readListeners(body) : []
    },
    async endListener(mount, id) {
      await ask('killclient', { mount, id })
    },
    async kill(mount, signal) {
      const { status, body } = await ask('killsource', { mount }, signal)
      if (status === 200) return 'killed'
      return /does not exist/i.test(body) ? 'absent' : 'ending'
    },
    async setFallback(mount, fallback) {
      return (await ask('fallbacks', { mount, fallback })).status === 200
    },
    async moveListeners(from, to) {
      return (await ask('moveclients', { mount: from, destination: to })).status === 200
    },
  }
}

/**
 * Reads the answer of `listmounts`. Only plain paths are looked for, and Icecast escapes markup in its values, so no
 * value can pass for a mount.
 */
export function readMounts(xml: string): Map<string, ObservedMount> {
  const mounts = new Map<string, ObservedMount>()
  for (const [, mount, inside] of xml.matchAll(/<source mount="(\/[a-z0-9/-]{1,200})">(.*?)<\/source>/gs)) {
    const fallback = /<fallback>(\/[a-z0-9/-]{1,200})<\/fallback>/.exec(inside!)?.[1] ?? null
    const format = airFormatOf(/<content-type>([^<]{0,100})<\/content-type>/.exec(inside!)?.[1])
    mounts.set(mount!, { fallback, format, listeners: Number(/<listeners>(\d{1,9})<\/listeners>/.exec(inside!)?.[1] ?? 0) })
  }
  return mounts
}

/** Reads the answer of `listclients`, as 2.4 and 2.5 spell it. */
export function readListeners(xml: string): MountListener[] {
  return [...xml.matchAll(/<listener\b[^>]*>(.*?)<\/listener>/gis)].flatMap(([, inside]) => {
    const id = /<id>(\d{1,15})<\/id>/i.exec(inside!)?.[1]
    const agent = /<useragent>([^<]*)<\/useragent>/i.exec(inside!)?.[1] ?? ''
    return id === undefined ? [] : [{ id, ...readListener(agent) }]
  })
}
