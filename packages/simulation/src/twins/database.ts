import { changeChannel, memoryTables } from '@skipcast/db/memory'
import type { Channel, ChannelStore, Outbox, ToCommand } from '@skipcast/db'
import { AppError } from '@skipcast/runtime'
import type { Network } from '../kernel/network.ts'
import type { Process, World } from '../kernel/world.ts'

/** The tables, a network away: each call is one round trip, whose answer may be lost although it was done. */
export interface SimulatedDatabase {
  process: Process | null
  readonly tables: ReturnType<typeof memoryTables>
  storesOf(
    client: Process,
  ): Pick<
    ChannelStore,
    'find' | 'change' | 'remove' | 'listWanted' | 'listStates' | 'listCommandedSince' | 'listMisplaced' | 'readBooks'
  >
  /** Waits for the lead, leads, and begins again: what `leadership` does with an advisory lock. */
  lead(client: Process, startTerm: (outbox: Outbox) => { onNotify(): void } & AsyncDisposable): void
  /** All connections end: PostgreSQL was restarted. */
  endSessions(): void
  ping(client: Process): Promise<void>
  /** Wishes a server empty, or not any more. */
  drain(client: Process, serverId: string, isDrained: boolean): Promise<void>
}

const DATABASE = 'db'
const STATEMENT_MS = 6000
const FOR_EVER_MS = 1e9
/** How long PostgreSQL needs to notice that a leader's machine is gone. */
const NOTICE_DEAD_MS = 10_000
/** A leader that does nothing for so long is ended by those who wait, who look so often: see `leadership.ts`. */
const FROZEN_AFTER_MS = 1400
const BEAT_MS = 400

interface Session {
  readonly client: Process
  isAlive: boolean
  onEnd: () => void
  onNotify: () => void
}

export function simulatedDatabase(
  world: World,
  net: Network,
  options: { toCommand: ToCommand; onWrite: (channel: Channel) => void },
): SimulatedDatabase {
  const { toCommand } = options
  const random = world.random.fork('database')
  let holder: Session | null = null
  const line = new Set<() => void>()
  const next = () => {
    for (const enter of line) return enter()
  }
  const sessions = new Set<Session>()
  const notify = () => {
    const session = holder
    if (session) net.travel(DATABASE, session.client.machine, () => world.within(session.client, session.onNotify))
  }
  const tables = memoryTables({ toCommand, onNotify: notify, onWrite: options.onWrite })
  const unavailable = () => new AppError('DATABASE_UNAVAILABLE', 'The database does not answer')
  const ask = <T>(client: Process, work: () => Promise<T>) =>
    net.call(client, () => self.process, { machine: DATABASE, timeoutMs: STATEMENT_MS, failure: unavailable }, work)

  const release = (session: Session) => {
    session.isAlive = false
    if (holder !== session) return
    holder = null
    next()
  }
  const end = (session: Session) => {
    release(session)
    world.within(session.client, session.onEnd)
  }
  /** Resolves at the database when the lock is this session's. */
  const acquire = (session: Session) =>
    new Promise<void>((resolve) => {
      const enter = () => {
        line.delete(enter)
        if (!session.isAlive) return next()
        holder = session
        resolve()
      }
      if (holder) line.add(enter)
      else enter()
    })
  const watchLink = (session: Session) => {
    let mute: { readonly since: number; readonly isCut: boolean } | null = null
    const look = () => {
      if (!session.isAlive) return
      const isCut = net.isCut(session.client.machine, DATABASE) || net.isCut(DATABASE, session.client.machine)
      mute = isCut || session.client.state === 'frozen' ? { since: mute?.since ?? world.now, isCut } : null
      const muteMs = mute ? world.now - mute.since : 0
      if (muteMs >= FROZEN_AFTER_MS && holder === session && line.size > 0) return end(session)
      if (mute?.isCut && muteMs >= NOTICE_DEAD_MS) return end(session)
      world.after(BEAT_MS, look)
    }
    look()
  }

  const self: SimulatedDatabase = {
    process: null,
    tables,
    ping: (client) => ask(client, async () => {}),
    drain: (client, serverId, isDrained) =>
      ask(client, async () => void (isDrained ? tables.drained.add(serverId) : tables.drained.delete(serverId))),
    storesOf(client) {
      const { rows, channels } = tables
      const remoteRows: typeof rows = {
        find: (name) => ask(client, () => rows.find(name)),
        tracks: (id) => ask(client, () => rows.tracks(id)),
        write: (draft) => ask(client, () => rows.write(draft)),
        changeLocked: (id, decide) => ask(client, () => rows.changeLocked(id, decide)),
      }
      return {
        find: (name) => remoteRows.find(name),
        change: (seen, decide) => changeChannel(remoteRows, toCommand, seen, decide),
        remove: (id) => ask(client, () => channels.remove(id)),
        listWanted: (after, limit) => ask(client, () => channels.listWanted(after, limit)),
        listStates: (ids) => ask(client, () => channels.listStates(ids)),
        listCommandedSince: (since, limit) => ask(client, () => channels.listCommandedSince(since, limit)),
        listMisplaced: (settled, limit) => ask(client, () => channels.listMisplaced(settled, limit)),
        readBooks: () => ask(client, () => channels.readBooks()),
      }
    },
    lead(client, startTerm) {
      const serve = async () => {
        const over = Promise.withResolvers<void>()
        const session: Session = { client, isAlive: true, onEnd: over.resolve, onNotify() {} }
        sessions.add(session)
        client.onDeath.add(() =>
          net.travel(client.machine, DATABASE, () => release(session), {
            patienceMs: NOTICE_DEAD_MS,
            lost: () => release(session),
          }),
        )
        try {
          watchLink(session)
          const waiting = { machine: DATABASE, timeoutMs: FOR_EVER_MS, failure: unavailable }
          await Promise.race([
            net.call(
              client,
              () => self.process,
              waiting,
              () => acquire(session),
            ),
            over.promise,
          ])
          if (!session.isAlive) return
          const through = async <T>(work: () => Promise<T>) => {
            try {
              return await ask(client, async () => {
                if (!session.isAlive) throw unavailable()
                return work()
              })
            } catch (error) {
              over.resolve() // a connection that failed once is not trusted with the lead
              throw error
            }
          }
          const { outbox } = tables
          await using term = startTerm({
            exchange: (forget, held) => through(() => outbox.exchange(forget, held)),
            setAside: (entry, problem) => through(() => outbox.setAside(entry, problem)),
            confirmLead: () => through(() => outbox.confirmLead()),
          })
          session.onNotify = () => term.onNotify()
          world.trace.note(world.now, client.name, 'leads')
          await over.promise
        } finally {
          sessions.delete(session)
          net.travel(client.machine, DATABASE, () => release(session), {
            patienceMs: NOTICE_DEAD_MS,
            lost: () => release(session),
          })
        }
      }
      const reign = (): void => {
        void serve()
          .catch(() => {})
          .then(() => world.timer(client, random.between(75, 400), reign))
      }
      reign()
    },
    endSessions() {
      for (const session of sessions) end(session)
    },
  }
  return self
}
