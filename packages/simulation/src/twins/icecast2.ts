import type { IcecastAdmin, Question } from '@skipcast/icecast/core'
import { MONITOR_AGENT, readMonitor, readMount } from '@skipcast/icecast/core'
import { AppError } from '@skipcast/runtime'
import type { Network } from '../kernel/network.ts'
import type { Process, World } from '../kernel/world.ts'

/** What comes from a source at this moment. */
export type Flow = 'sound' | 'silence' | 'nothing'

/** A source that was let in. */
interface Source {
  readonly path: string
  readonly password: string
  readonly from: Process
  readonly flow: () => Flow
  /** Called in `from` once it learns that it is no source any more. */
  readonly onEnd: () => void
  fallback: string | null
  isEnding: boolean
  quietSince: number | null
  lastSoundAt: number
}

/** A listener's connection. `path` is where it is now: its source may have ended meanwhile. */
export interface Hearing {
  path: string | null
  readonly cameTo: string
  readonly id: string
  readonly isMonitor: boolean
  /** A monitor that showed its token: it is let in where it asks, and not sent elsewhere. */
  readonly isExact?: boolean
  readonly from: Process
  /** Sees what came since the last look. */
  readonly take: (flow: Flow) => void
  /** What Icecast greets with. */
  readonly greet: (sounds: boolean) => void
  /** Called in `from` when the connection ended. */
  readonly onEnd: () => void
}

/**
 * icecast2 as it was measured (see the role's README): asks about sources before it looks whether the mount is busy, on one thread per kind of mount; moves listeners
 * to a fallback that was set at run time; ends sources that send nothing for 2 s. The front is part of it, with its map of mounts, which never dies.
 */
export interface Icecast2 {
  readonly machine: string
  process: Process | null
  readonly mounts: ReadonlyMap<string, Source>
  /** The front's map: where those are sent who ask for a channel. */
  readonly turned: Map<string, string>
  /** Whom it asks: the role. */
  ask: { process: Process; isYes: (question: Question) => Promise<boolean> } | null
  connect(
    request: Omit<Source, 'fallback' | 'isEnding' | 'quietSince' | 'lastSoundAt'>,
  ): Promise<'connected' | 'busy' | 'refused' | 'away'>
  /** The source hangs up. */
  leave(path: string, from: Process, password: string): void
  listen(request: Omit<Hearing, 'path' | 'cameTo' | 'id'> & { path: string }): Promise<Hearing | null>
  hangUp(hearing: Hearing): void
  adminOf(role: Process): IcecastAdmin
  /** Lets what flows flow, up to now. */
  flow(): void
  /** Whether somebody who comes now, and is let in, hears a programme. */
  sounds(path: string): boolean
  /** Whether an ordinary listener has a connection that began with this mount. */
  hasAudience(path: string): boolean
  /** It died: so did all connections. */
  reset(): void
  onAdmit(listener: (source: Source) => void): void
}

const CAST = 'cast'
const ANSWER_MS = 15_000
const CONNECT_MS = 6000
const ADMIN_MS = 2000
const SOURCE_TIMEOUT_MS = 2000
const KEPT_GREETING_MS = 8000
const LOOK_AGAIN_MS = 140
const LOOKS = 10

export function icecast2(world: World, net: Network): Icecast2 {
  const random = world.random.fork('icecast')
  const mounts = new Map<string, Source>()
  const turned = new Map<string, string>()
  const hearings = new Set<Hearing>()
  let ids = 0
  const admitListeners = new Set<(source: Source) => void>()
  let threads = new Map<string, Promise<unknown>>()

  /** One thread for channels' own mounts, one for their second ones, each asleep for up to 150 ms when it has nothing to do. */
  const question = (path: string, asked: Question): Promise<boolean> => {
    const thread = readMount(path)?.channelMount === path ? 'first' : 'second'
    const mine = self.process
    const turn = async () => {
      await pause(random.between(0, 150))
      const { ask, process } = self
      if (!ask || !process || process !== mine) return false
      const options = { machine: CAST, timeoutMs: ANSWER_MS, failure: (why: string) => new Error(why) }
      return net
        .call(
          process,
          () => ask.process,
          options,
          () => ask.isYes(asked),
        )
        .catch(() => false)
    }
    const answered = (threads.get(thread) ?? Promise.resolve()).then(turn)
    threads.set(thread, answered)
    return answered
  }
  const pause = (ms: number) => new Promise<void>((resolve) => void world.timer(self.process!, ms, resolve))

  const drop = (hearing: Hearing) => {
    if (hearing.path === null || !hearings.has(hearing)) return
    hearing.path = null
    // Who is cut off learns of it only by hearing nothing any more.
    if (!net.isCut(CAST, hearing.from.machine)) hearings.delete(hearing)
    net.travel(CAST, hearing.from.machine, () => world.within(hearing.from, hearing.onEnd))
  }
  const end = (source: Source) => {
    if (mounts.get(source.path) !== source) return
    mounts.delete(source.path)
    const refuge = source.fallback !== null && mounts.has(source.fallback) ? source.fallback : null
    for (const hearing of hearings) {
      if (hearing.path !== source.path) continue
      if (refuge !== null) hearing.path = refuge
      else drop(hearing)
    }
    net.travel(CAST, source.from.machine, () => world.within(source.from, source.onEnd))
    world.trace.note(world.now, 'icecast2', `source of ${source.path} ended (${source.from.name})`)
    void question(source.path, { kind: 'source-ended', path: source.path })
  }
  const ask = <T>(client: Process, timeoutMs: number, failure: () => Error, work: () => T | Promise<T>) =>
    net.call(client, () => self.process, { machine: CAST, timeoutMs, failure }, work)

  const self: Icecast2 = {
    machine: CAST,
    process: null,
    mounts,
    turned,
    ask: null,
    onAdmit: (listener) => void admitListeners.add(listener),
    async connect(request) {
      const { path, password, from } = request
      try {
        return await ask(
          from,
          CONNECT_MS,
          () => new Error('away'),
          async () => {
            if (!(await question(path, { kind: 'source', path, user: 'source', password }))) return 'refused'
            if (mounts.has(path)) return 'busy'
            if (from.state === 'dead') return 'refused'
            const source: Source = { ...request, fallback: null, isEnding: false, quietSince: null, lastSoundAt: -Infinity }
            mounts.set(path, source)
            from.onDeath.add(() => world.after(random.between(1, 20), () => end(source)))
            world.trace.note(world.now, 'icecast2', `${from.name} feeds ${path}`)
            for (const listener of admitListeners) listener(source)
            void question(path, { kind: 'source-started', path })
            return 'connected'
          },
        )
      } catch {
        return 'away'
      }
    },
    leave(path, from, password) {
      net.travel(from.machine, CAST, () => {
        const source = mounts.get(path)
        if (source?.from === from && source.password === password) end(source)
      })
    },
    async listen(request) {
      const { from, isMonitor, isExact = false } = request
      const monitor = isMonitor ? readMonitor(isExact ? `${MONITOR_AGENT} ${request.path}` : MONITOR_AGENT) : null
      return ask(
        from,
        CONNECT_MS,
        () => new Error('away'),
        async () => {
          const path = isExact ? request.path : (turned.get(request.path) ?? request.path)
          if (!(await question(path, { kind: 'listener-came', path, monitor, guest: null }))) return null
          for (let looks = 0; !mounts.has(path) && looks < LOOKS; looks++) await pause(LOOK_AGAIN_MS)
          const source = mounts.get(path)
          if (!source) return null
          const hearing: Hearing = { ...request, path, cameTo: request.path, id: `${(ids += 1)}` }
          hearings.add(hearing)
          from.onDeath.add(() => void hearings.delete(hearing))
          hearing.greet(world.now - source.lastSoundAt < KEPT_GREETING_MS)
          return hearing
        },
      ).catch(() => null)
    },
    hangUp: (hearing) => void hearings.delete(hearing),
    adminOf(role) {
      const away = () => new AppError('ICECAST_UNAVAILABLE', 'Icecast did not answer')
      const on = (path: string) => [...hearings].filter((hearing) => hearing.path === path)
      return {
        mounts: () =>
          ask(role, ADMIN_MS, away, () => {
            const shown = [...mounts].map(
              ([path, { fallback }]) => [path, { listeners: on(path).length, fallback, format: 'mp3' as const }] as const,
            )
            return new Map(shown)
          }),
        listeners: (path) =>
          ask(role, ADMIN_MS, away, () =>
            on(path).map(({ id, isMonitor, isExact, cameTo }) => {
              return { id, monitor: isMonitor ? { asked: isExact ? cameTo : null } : null, guest: null }
            }),
          ),
        endListener: (path, id) =>
          ask(role, ADMIN_MS, away, () => {
            for (const hearing of on(path)) if (hearing.id === id) drop(hearing)
          }),
        kill: (path) =>
          ask(role, ADMIN_MS, away, () => {
            const source = mounts.get(path)
            if (!source) return 'absent'
            if (source.isEnding) return 'ending'
            source.isEnding = true
            world.after(source.flow() === 'nothing' ? random.between(100, 250) : random.between(15, 35), () => end(source))
            return 'killed'
          }),
        setFallback: (path, fallback) =>
          ask(role, ADMIN_MS, away, () => {
            const source = mounts.get(path)
            if (source) source.fallback = fallback
            return source !== undefined
          }),
        moveListeners: (from, to) =>
          ask(role, ADMIN_MS, away, () => {
            if (!mounts.has(from) || !mounts.has(to)) return false
            for (const hearing of on(from)) hearing.path = to
            return true
          }),
      }
    },
    flow() {
      if (self.process?.state !== 'running') return
      const flows = new Map<string, Flow>()
      for (const source of mounts.values()) {
        const flow = net.isCut(source.from.machine, CAST) || source.from.state !== 'running' ? 'nothing' : source.flow()
        flows.set(source.path, flow)
        if (flow === 'sound') source.lastSoundAt = world.now
        if (flow !== 'nothing') source.quietSince = null
        else {
          source.quietSince ??= world.now
          if (world.now - source.quietSince > SOURCE_TIMEOUT_MS) end(source)
        }
      }
      for (const hearing of hearings) {
        if (net.isCut(CAST, hearing.from.machine)) continue
        hearing.take(hearing.path === null ? 'nothing' : (flows.get(hearing.path) ?? 'nothing'))
      }
    },
    sounds: (path) => self.process?.state === 'running' && mounts.get(turned.get(path) ?? path)?.lastSoundAt === world.now,
    hasAudience: (path) => [...hearings].some(({ cameTo, isMonitor }) => cameTo === path && !isMonitor),
    reset() {
      threads = new Map()
      for (const hearing of hearings) drop(hearing)
      for (const source of mounts.values()) {
        mounts.delete(source.path)
        net.travel(CAST, source.from.machine, () => world.within(source.from, source.onEnd))
      }
    },
  }
  return self
}
