import { describe, expect, test } from '@jest/globals'
import { reporterSuite } from '../test/reporter-suite.ts'
import { aStart } from '../test/streams.ts'

const here = reporterSuite()

const second = { server_id: 'here', epoch: 2, mount: '/w/a', source_token: 'b-token' }
const standby = aStart('a', { server_id: 'there', standby: second })
const promoted = aStart('a', { ...second, generation: 2, moved_from: 'there' })
const names = () => here.journaled.map(({ event }) => event)

const onAir = async (generation = 1) => {
  await here.want({ ...standby, generation })
  here.runs({})
  await here.pass()
  here.hear()
  await here.pass()
  expect(here.told.at(-1)).toMatchObject({ phase: 'on_air', is_standby: true, epoch: 2, mount: '/a' })
}

describe('the report of a second replica', () => {
  test('is told apart, listens to its own mount, and tells no event', async () => {
    await onAir()
    expect(here.openEars).toEqual(['/w/a'])
    here.runs({ isConnected: false, problem: 'refused' })
    await here.pass()
    expect(here.told.at(-1)).toMatchObject({ phase: 'failing', is_standby: true })
    expect(names()).toEqual([])
  })

  test('becomes that of the primary with a move and no start, also by the agent after it', async () => {
    await onAir()
    await here.open()
    here.hear()
    await here.pass()
    await here.want(promoted)
    here.hear()
    await here.pass()
    expect(here.told.at(-1)).toMatchObject({ phase: 'on_air', generation: 2 })
    expect(here.told.at(-1)).not.toHaveProperty('is_standby')
    expect(names()).toEqual(['channel_moved'])
    expect(here.openEars).toContain('/w/a')
    await here.pass()
    expect(names()).toEqual(['channel_moved'])
  })

  test('tells of what began after the primary before it told last, and of nothing that it told', async () => {
    await onAir()
    const { queued_at: sentAt } = here.told.at(-1)!.now_playing!
    await here.want({ ...promoted, playing: { media_id: 'before', sent_at: sentAt! - 2000 } })
    here.hear()
    await here.pass()
    expect(here.journaled.find(({ event }) => event === 'track_started')).toMatchObject({
      id: 'e.3',
      track_play_id: 'e.3',
      media_id: 'one',
    })
    here.journaled.length = 0
    here.memos.clear()
    await onAir(3)
    await here.want({ ...promoted, generation: 4, playing: { media_id: 'one', sent_at: sentAt! - 100 } })
    here.hear()
    await here.pass()
    expect(names()).toEqual(['channel_moved'])
  })

  test('ends as off where the channel has none any more, and is not told where another has it', async () => {
    await onAir()
    await here.want(aStart('a', { server_id: 'there', generation: 2, standby: { ...second, server_id: 'elsewhere' } }))
    const told = here.told.length
    await here.pass()
    expect(here.told).toHaveLength(told)
    here.memos.clear()
    await onAir(3)
    await here.want(aStart('a', { server_id: 'there', generation: 4 }))
    here.runs(null)
    await here.pass()
    expect(here.told.at(-1)).toMatchObject({ phase: 'off', is_standby: true })
    expect(names()).toEqual([])
  })
})

test('a channel that moved to the other mount is listened to there', async () => {
  await here.onAir()
  await here.want(aStart('a', { epoch: 3, generation: 2, mount: '/w/a' }))
  await here.pass()
  expect(here.openEars).toEqual(['/w/a'])
})

test('one that lingers is not told of at all', async () => {
  await here.onAir()
  await here.want(aStart('a', { epoch: 2, generation: 2, server_id: 'there', takes_over: { server_id: 'here', at: 'now' } }))
  const told = here.told.length
  await here.pass()
  await here.pass(6000)
  expect(here.told).toHaveLength(told)
  expect(here.openEars).toEqual([])
  expect(names()).toEqual(['channel_started'])
})
