import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import { airFormatOf, audioReader, icyReader, type AudioFrame } from '@skipcast/audio'
import { backoff } from '@skipcast/runtime'
import type { Ear, OpenEar } from '../ports.ts'

/** Icecast greets a listener with seconds of old audio at once: it has all come by then. */
const GREETING_MS = 500
/** A mount that sends nothing for so long is asked again on a new connection. */
const DEAF_AFTER_MS = 5000

/** Icecast asks about its listeners one after the other: sources, and listeners of others, must not stand behind a crowd of ours. */
const MOST_ASKING = 8
/** Sound after a pause of so long is told at once. */
const NEWS_AFTER_MS = 400
const MOST_TITLES = 8
/** A player that would be further behind than this has been left by its listener. */
const LONGEST_DELAY_MS = 20_000

/**
 * Listens to mounts of one Icecast as any listener does. Parses frames and does not decode: about 16 kB/s and 38 frames
 * a second for a stream of 128 kbit/s.
 */
export function mountEars(icecast: { host: string; port: number; now: () => number }): OpenEar {
  const door = turnstile(MOST_ASKING)
  return (place, onNews) => mountEar({ ...icecast, ...place, onNews, door })
}

/** Lets so many in at a time, the others in the order in which they came. */
function turnstile(most: number): Turnstile {
  const waiting: (() => void)[] = []
  let inside = 0
  const admit = () => {
    while (inside < most && waiting.length > 0) {
      inside += 1
      waiting.shift()!()
    }
  }
  return {
    enter(go) {
      let place: 'waits' | 'inside' | 'left' = 'waits'
      const come = () => {
        place = 'inside'
        go()
      }
      waiting.push(come)
      admit()
      return () => {
        if (place === 'waits') waiting.splice(waiting.indexOf(come), 1)
        if (place === 'inside') inside -= 1
        place = 'left'
        admit()
      }
    },
  }
}

interface Turnstile {
  /** Calls `go` when it is our turn. Returns how to leave, or to wait no more; more than once does nothing. */
  enter(go: () => void): () => void
}

function mountEar(options: {
  host: string
  port: number
  mount: string
  token: string
  now: () => number
  onNews: () => void
  door: Turnstile
}): Ear {
  const { host, port, mount, token, now, onNews, door } = options
  const wait = backoff({ firstMs: 100, mostMs: 2000 })
  const heard = {
    isPresent: true,
    lastByteAt: null as number | null,
    lastSoundAt: null as number | null,
    lastGreetingSoundAt: null as number | null,
    delayMs: 0,
    titles: [] as string[],
  }
  let connection: ClientRequest | undefined
  let retry: NodeJS.Timeout | undefined
  let leaveDoor = () => {}
  let isDisposed = false

  const meet = (isPresent: boolean) => {
    if (heard.isPresent === isPresent) return
    heard.isPresent = isPresent
    onNews()
  }

  const connect = () => {
    retry = undefined
    leaveDoor()
    leaveDoor = door.enter(ask)
  }

  const ask = () => {
    connection = request({
      host,
      port,
      path: mount,
      agent: false,
      auth: `source:${token}`,
      timeout: DEAF_AFTER_MS,
      headers: { 'user-agent': 'skipcast-monitor/1', 'icy-metadata': '1' },
    })
    connection.once('response', (response) => {
      leaveDoor()
      listen(response)
    })
    connection.on('timeout', leaveWhenDeaf)
    connection.once('error', () => {}) // 'close' follows, and that is where we go on
    connection.once('close', () => {
      leaveDoor()
      if (isDisposed) return
      retry = setTimeout(connect, wait.next())
      meet(false)
    })
    connection.end()
  }

  /** It may be that we did not run: what came meanwhile is read before the next turn. */
  const leaveWhenDeaf = () => {
    const deaf = connection
    const { lastByteAt } = heard
    setImmediate(() => heard.lastByteAt === lastByteAt && deaf?.destroy())
  }

  const listen = (response: IncomingMessage) => {
    response.once('error', () => {})
    if (response.statusCode !== 200) {
      response.destroy()
      return
    }
    const icy = icyReader(Number(response.headers['icy-metaint'] ?? 0))
    const audio = audioReader(airFormatOf(response.headers['content-type']))
    let since: number | undefined
    const player = playerClock()
    meet(true)
    response.on('data', (bytes: Buffer) => {
      const at = now()
      since ??= at
      wait.reset()
      heard.lastByteAt = at
      const piece = icy.push(bytes)
      const { frames, titles } = audio.push(piece.audio)
      heard.titles = [...heard.titles, ...piece.titles, ...titles].slice(-MOST_TITLES)
      heard.delayMs = player.push(at, lengthMs(frames))
      const isGreeting = at - since < GREETING_MS
      const lastSound = frames.findLastIndex((frame) => !frame.silent)
      if (lastSound < 0) return
      // Icecast hands on 1400 bytes of AAC at a time: after a sound that may be seconds of silence.
      const soundAt = at - lengthMs(frames.slice(lastSound + 1))
      const kind = isGreeting ? 'lastGreetingSoundAt' : 'lastSoundAt'
      const isNews = heard[kind] === null || soundAt - heard[kind] > NEWS_AFTER_MS
      heard[kind] = soundAt
      if (isNews) onNews()
    })
  }

  connect()
  return {
    heard,
    nudge() {
      if (!retry) return
      clearTimeout(retry)
      connect()
    },
    async [Symbol.asyncDispose]() {
      isDisposed = true
      clearTimeout(retry)
      leaveDoor()
      connection?.destroy()
    },
  }
}

function lengthMs(frames: readonly AudioFrame[]): number {
  return frames.reduce((sum, { durationMs }) => sum + durationMs, 0)
}

/**
 * A player that plays what comes from the first byte on, and waits when it runs dry. Takes when and how much audio came; returns how long
 * that lies in the player's buffer before it is heard.
 */
function playerClock(): { push(at: number, audioMs: number): number } {
  /** When the audio that comes next will be heard. */
  let heardFrom = -Infinity
  return {
    push(at, audioMs) {
      heardFrom = Math.min(Math.max(heardFrom, at), at + LONGEST_DELAY_MS)
      const delayMs = heardFrom - at
      heardFrom += audioMs
      return delayMs
    },
  }
}
