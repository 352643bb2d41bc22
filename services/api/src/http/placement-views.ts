import type { Channel } from '@skipcast/db'
import { z } from 'zod'
import { explain } from '../domain/explain.ts'
import { mountsOf } from '../domain/mounts.ts'
import { placeableOf, surveyServers, type SurveyPorts } from '../survey-servers.ts'
import { serverState } from './server-views.ts'
import { counter, instant } from './views.ts'

/** Where a channel is and why, as the API answers. */

/** More would help nobody to understand. */
const MOST_SERVERS = 100

const seatBody = z.object({
  server: z.string(),
  epoch: counter,
  mount: z.string().meta({ description: 'Which of the channel’s two mounts at Icecast it feeds.' }),
})

export const placementBody = z
  .object({
    cost: counter.meta({ description: 'Of each replica, in cost units.' }),
    replicas: counter,
    labels: z.record(z.string(), z.string()),
    pinned_server: z.string().nullable(),
    primary: seatBody.nullable().meta({ description: 'Whom listeners hear.' }),
    standby: seatBody
      .nullable()
      .meta({ description: 'Who plays the same into the other mount, and takes over when the first is lost.' }),
    moved: z
      .object({ at: instant, from: z.string().nullable(), because: z.string() })
      .nullable()
      .meta({ description: 'When, from where and why it came to its present server.' }),
    problem: z.string().nullable().meta({ description: 'Why servers that fell silent are not given up at present.' }),
    servers_total: counter,
    servers: z
      .array(
        z.object({
          id: z.string(),
          has: z.enum(['primary', 'standby']).nullable(),
          state: serverState,
          capacity: counter,
          load: counter,
          refused_because: z.array(z.string()).meta({ description: 'Empty: it could have the channel.' }),
        }),
      )
      .meta({ description: `Those that have it, then those that could, then the others; ${MOST_SERVERS} at most.` }),
  })
  .meta({ id: 'Placement' })

const REASONS: Readonly<Record<string, string>> = {
  start: 'It was started, and this server had room.',
  unplaced: 'No server had it, and this one had room.',
  lost: 'The server before was not heard any more.',
  drain: 'The server before was to be emptied.',
  labels: 'The server before has not the labels that are asked for.',
  pin: 'It was pinned to another server.',
  capacity: 'The server before carried more than it can.',
  moved: 'Somebody moved it here.',
}

export async function showPlacement(ports: SurveyPorts, channel: Channel): Promise<z.output<typeof placementBody>> {
  const { servers, problem } = await surveyServers(ports)
  const placeable = placeableOf(channel)
  const { serverId, standbyServerId, movedAt, movedBecause } = channel
  const mounts = mountsOf(channel)
  return {
    cost: placeable.cost,
    replicas: channel.replicas,
    labels: { ...channel.serverLabels },
    pinned_server: channel.pinnedServerId,
    primary: serverId === null ? null : { server: serverId, epoch: channel.epoch, mount: mounts.primary },
    standby: standbyServerId === null ? null : { server: standbyServerId, epoch: channel.standbyEpoch, mount: mounts.standby },
    moved:
      movedAt === null || serverId === null
        ? null
        : { at: movedAt.toISOString(), from: channel.movedFrom, because: REASONS[movedBecause ?? ''] ?? 'It is not known why.' },
    problem,
    servers_total: servers.length,
    servers: explain(placeable, servers)
      .slice(0, MOST_SERVERS)
      .map(({ server: { id, state, capacity, load }, has, refusals }) => ({
        id,
        has,
        state,
        capacity,
        load,
        refused_because: [...refusals],
      })),
  }
}
