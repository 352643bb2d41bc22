import { z } from 'zod'
import type { ChannelRecord } from '../domain/engine.ts'
import { parseJson, parseRecord } from '../domain/engine-event.ts'
import type { WantedStream } from '../domain/wanted.ts'
import { mixOf } from './hub-command.ts'
import { songText } from './icecast-text.ts'

const planHead = z.object({ data: z.string() })

/** What a channel shall play, as its engine reads it. */
export function planText({ record, command, tracks }: WantedStream, pathOf: (sha256: string) => string): string {
  return JSON.stringify({
    data: JSON.stringify(record),
    tracks: tracks.map((track) => ({
      id: track.media_id,
      path: pathOf(track.sha256),
      title: songText(track.title),
      artist: songText(track.artist),
      ...mixOf(track, command),
    })),
  })
}

/** The channel that a plan is of; null when it is none of ours. */
export function recordOfPlan(text: string): ChannelRecord | null {
  const plan = planHead.safeParse(parseJson(text))
  return plan.success ? parseRecord(plan.data.data) : null
}
