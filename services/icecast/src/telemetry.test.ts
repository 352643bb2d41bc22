import { expect, test } from '@jest/globals'
import { meters, silentLogger } from '@skipcast/runtime'
import { icecastTelemetry } from './telemetry.ts'

test('measures sources by what they feed, and knows nothing while Icecast does not answer', async () => {
  const board = meters()
  const telemetry = icecastTelemetry(silentLogger(), board)
  const shown = async () => (await board.show()).text.split('\n').filter((line) => line.startsWith('skipcast_icecast'))
  const mount = (listeners: number) => ({ listeners, fallback: null, format: 'mp3' as const })
  const mounts = new Map([
    ['/a', mount(3)],
    ['/w/a', mount(1)],
    ['/b', mount(0)],
    ['/c', mount(0)],
    ['/w/c', mount(2)],
  ])
  telemetry.observed(mounts, new Set(['/a', '/c', '/w/c']), (channel) => (channel === '/c' ? '/w/c' : channel))
  expect(await shown()).toEqual(
    expect.arrayContaining([
      'skipcast_icecast_sources{kind="channel"} 2',
      'skipcast_icecast_sources{kind="standby"} 1',
      'skipcast_icecast_sources{kind="silence"} 1',
      'skipcast_icecast_sources{kind="waiting"} 1',
      'skipcast_icecast_listeners 6',
    ]),
  )
  telemetry.observed(null, new Set(), (channel) => channel)
  expect(await shown()).toContainEqual(expect.stringMatching(/^skipcast_icecast_listeners nan$/i))
})

test('counts who was let in, who was refused and why, and what had to be started again', async () => {
  const board = meters()
  const telemetry = icecastTelemetry(silentLogger(), board)
  telemetry.admitted('/a', { channelId: 'a', mount: '/a', epoch: 1 })
  telemetry.silenceAdmitted()
  expect(telemetry.refused('/a', 'older-epoch')).toBe(false)
  telemetry.died('haproxy', 1, 250)
  telemetry.switched()
  telemetry.answered('source', 20)
  const { text } = await board.show()
  for (const line of [
    'skipcast_icecast_sources_admitted_total{kind="engine"} 1',
    'skipcast_icecast_sources_admitted_total{kind="silence"} 1',
    'skipcast_icecast_sources_refused_total{reason="older-epoch"} 1',
    'skipcast_icecast_restarts_total{program="haproxy"} 1',
    'skipcast_icecast_switches_total 1',
    'skipcast_icecast_answer_seconds_count{kind="source"} 1',
  ])
    expect(text).toContain(line)
})
