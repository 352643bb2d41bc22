import type { NowPlaying } from '@skipcast/contracts'
import type { EngineTrack } from './domain/engine.ts'
import type { Clock, Heard } from './ports.ts'

/** So long after it should be heard, a play is told of although its title never came: a title may be cut or changed on its way. */
const TITLE_PATIENCE_MS = 3000
const MOST_PLAYS = 16

/** A play that an engine has sent. */
export type SentPlay = Pick<EngineTrack, 'title' | 'artist' | 'startedAt'> & { readonly playId: string }

/** When listeners hear what an engine sends: that lies in Icecast's and in their own buffers first. */
export interface HeardPlays {
  /** When they heard the beginning of the play, in ms since the Unix epoch; null while they have not. Once told, it stays. */
  heardAt(play: SentPlay): number | null
  /** When they will, as far as can be told now. */
  expectedAt(play: SentPlay): number
  /**
   * What they hear now. `sent`: what the engine is at, null while nobody hears it. `before`: what was told last, maybe by the agent
   * before this one.
   */
  now(sent: EngineTrack | null, before: NowPlaying | null): NowPlaying | null
}

/**
 * Our own ear stands for the listeners: it knows how far it would be behind if it played what it gets. A play is told once that has gone by since
 * it was sent, and its title has come.
 */
export function heardPlays(ear: { readonly heard: Heard }, clock: Pick<Clock, 'wallMs'>): HeardPlays {
  const decided = new Map<string, number>()
  let underWay: (EngineTrack & { playId: string })[] = []
  let current: NowPlaying | null = null

  const expectedAt = (play: SentPlay) => decided.get(play.playId) ?? Math.round(play.startedAt + ear.heard.delayMs)
  const heardAt = (play: SentPlay): number | null => {
    const known = decided.get(play.playId)
    if (known !== undefined) return known
    const at = expectedAt(play)
    const lateMs = clock.wallMs() - at
    if (lateMs < 0 || (lateMs < TITLE_PATIENCE_MS && !hasCome(play, ear.heard.titles))) return null
    decided.set(play.playId, at)
    for (const oldest of decided.keys()) if (decided.size > MOST_PLAYS) decided.delete(oldest)
    return at
  }

  return {
    heardAt,
    expectedAt,
    now(sent, before) {
      if (!sent) {
        underWay = []
        current = null
        return null
      }
      const { playId } = sent
      if (playId !== null && before?.track_play_id === playId) {
        decided.set(playId, before.started_at)
        current = before
      } else if (playId !== null && current?.track_play_id !== playId && underWay.at(-1)?.playId !== playId) {
        underWay = [...underWay, { ...sent, playId }].slice(-MOST_PLAYS)
      }
      for (let next = underWay[0]; next; next = underWay[0]) {
        const at = heardAt(next)
        if (at === null) break
        current = {
          track_play_id: next.playId,
          media_id: next.mediaId,
          title: next.title,
          artist: next.artist,
          started_at: at,
          queued_at: next.sentAt,
        }
        underWay.shift()
      }
      return current
    },
  }
}

/** As Liquidsoap writes it. Where no title ever comes, none is waited for. */
function hasCome({ title, artist }: Pick<SentPlay, 'title' | 'artist'>, titles: readonly string[]): boolean {
  return titles.length === 0 || titles.includes([artist, title].filter((text) => text !== '').join(' - '))
}
