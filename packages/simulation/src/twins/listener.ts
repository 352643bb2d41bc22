import type { Ear, OpenEar } from '@skipcast/liquidsoap-agent/core'
import { backoff } from '@skipcast/runtime'
import { running, type World } from '../kernel/world.ts'
import type { Flow, Hearing, Icecast2 } from './icecast2.ts'

const GREETING_MS = 500
const NEWS_AFTER_MS = 400
const DEAF_AFTER_MS = 5000
const DEAF_LOOK_MS = 500
/** What lies in Icecast's and a player's buffers. */
const DELAY_MS = 300

/** A listener of our own, as the agent has it: see `adapters/mount-ear.ts`, which does the same with bytes. */
export function simulatedEars(world: World, icecast: Icecast2): OpenEar {
  return ({ mount }, onNews) => simulatedEar(world, icecast, { mount, onNews, isMonitor: true, isExact: true })
}

/** In the process that calls. `onSound`: programme came just now. */
export function simulatedEar(
  world: World,
  icecast: Icecast2,
  {
    mount,
    isMonitor,
    isExact = false,
    onNews = () => {},
    onSound = () => {},
  }: { mount: string; isMonitor: boolean; isExact?: boolean; onNews?: () => void; onSound?: () => void },
): Ear {
  const process = running.getStore()!
  const wait = backoff({ firstMs: 100, mostMs: isMonitor ? 2000 : 1000 })
  const heard = {
    isPresent: true,
    lastByteAt: null as number | null,
    lastSoundAt: null as number | null,
    lastGreetingSoundAt: null as number | null,
    delayMs: DELAY_MS,
    titles: [] as string[],
  }
  let hearing: Hearing | null = null
  let retry: NodeJS.Timeout | undefined
  let listening: NodeJS.Timeout | undefined
  let isDisposed = false

  const meet = (isPresent: boolean) => {
    if (heard.isPresent === isPresent) return
    heard.isPresent = isPresent
    onNews()
  }
  const lose = () => {
    if (hearing) icecast.hangUp(hearing)
    hearing = null
    clearInterval(listening)
    if (isDisposed) return
    clearTimeout(retry)
    retry = setTimeout(connect, wait.next())
    meet(false)
  }
  const connect = () => {
    retry = undefined
    const asked = { connectedAt: null as number | null, lastAt: 0 }
    const hear = (kind: 'lastSoundAt' | 'lastGreetingSoundAt') => {
      const before = heard[kind]
      heard[kind] = world.now
      if (before === null || world.now - before > NEWS_AFTER_MS) world.within(process, onNews)
    }
    const take = (flow: Flow) => {
      if (asked.connectedAt === null) return
      if (flow === 'nothing') return
      asked.lastAt = heard.lastByteAt = world.now
      if (flow === 'sound') onSound()
      if (flow === 'sound') hear(world.now - asked.connectedAt < GREETING_MS ? 'lastGreetingSoundAt' : 'lastSoundAt')
    }
    const greet = (sounds: boolean) => {
      asked.connectedAt = asked.lastAt = heard.lastByteAt = world.now
      if (sounds) hear('lastGreetingSoundAt')
    }
    void icecast
      .listen({ path: mount, from: process, isMonitor, isExact, take, greet, onEnd: () => hearing && lose() })
      .then((found) => {
        if (isDisposed) return void (found && icecast.hangUp(found))
        hearing = found
        if (!found || found.path === null) return lose()
        wait.reset()
        // Nobody tells of an end while the way is cut: it is known by what does not come.
        listening = setInterval(() => world.now - asked.lastAt > DEAF_AFTER_MS && lose(), DEAF_LOOK_MS)
        meet(true)
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
      clearInterval(listening)
      if (hearing) icecast.hangUp(hearing)
      hearing = null
    },
  }
}
