import { describe, expect, test } from '@jest/globals'
import type { StateView } from '@skipcast/bus'
import type { StreamCommand } from '@skipcast/contracts'
import { wantedChannels } from './wanted-channels.ts'

const command = (channelId: string, mount: string, event: StreamCommand['event'] = 'start_stream', bitrate = 128) =>
  ({
    event,
    channel_id: channelId,
    channel_slug: mount.slice(1),
    mount,
    generation: 1,
    epoch: 1,
    bitrate_kbps: bitrate,
  }) as StreamCommand

function fakeView() {
  const values = new Map<string, StreamCommand>()
  const listeners: Array<() => void> = []
  const view = {
    values,
    isCaughtUp: false,
    onChange(listener: () => void) {
      listeners.push(listener)
      return () => {}
    },
    change(...commands: StreamCommand[]) {
      for (const each of commands) values.set(each.channel_id, each)
      for (const listener of listeners) listener()
    },
  }
  return view
}
const over = (view: ReturnType<typeof fakeView>, lastKnown: string | null = null) =>
  wantedChannels(view as unknown as StateView<'streamCommands'>, { lastKnown, defaultBitrateKbps: 96 })

describe('wantedChannels', () => {
  test('follows the commands', () => {
    const view = fakeView()
    const wanted = over(view)
    expect(wanted.channels.size).toBe(0)
    view.change(command('a', '/a', 'start_stream', 192), command('b', '/b', 'stop_stream'))
    expect([...wanted.channels.values()]).toEqual([
      {
        channelId: 'a',
        mount: '/a',
        format: 'mp3',
        bitrateKbps: 192,
        primary: { mount: '/a', epoch: 1 },
        standby: null,
        newestEpoch: 1,
        isSigned: false,
        generation: 1,
        maxListeners: null,
      },
    ])
    expect(wanted.at('/b')?.channel_id).toBe('b')
    view.change(command('a', '/new'))
    expect([...wanted.channels.keys()]).toEqual(['/new'])
    expect(wanted.at('/a')).toBeUndefined()
  })

  test('knows a channel by its slug, whichever mounts its replicas feed', () => {
    const view = fakeView()
    const wanted = over(view)
    const standby = { server_id: 's2', epoch: 4, mount: '/a' }
    view.change({ ...command('a', '/a'), mount: '/w/a', epoch: 3, standby } as StreamCommand)
    expect(wanted.channels.get('/a')).toMatchObject({
      primary: { mount: '/w/a', epoch: 3 },
      standby: { mount: '/a', epoch: 4 },
    })
    expect([wanted.at('/a')?.channel_id, wanted.at('/w/a'), wanted.channels.size]).toEqual(['a', undefined, 1])
    expect([...over(fakeView(), wanted.snapshot()).channels]).toEqual([...wanted.channels])
  })

  test('remembers the epoch of a standby that was given up, also for the next process', () => {
    const view = fakeView()
    const wanted = over(view)
    const single = { ...command('a', '/a'), epoch: 3 }
    view.change({ ...single, standby: { server_id: 's2', epoch: 4, mount: '/w/a' } } as StreamCommand)
    expect(wanted.channels.get('/a')?.newestEpoch).toBe(4)
    view.change(single)
    expect(wanted.channels.get('/a')).toMatchObject({ standby: null, newestEpoch: 4 })
    const next = fakeView()
    const later = over(next, wanted.snapshot())
    next.isCaughtUp = true
    next.change(single)
    expect(later.channels.get('/a')?.newestEpoch).toBe(4)
  })

  test('takes a snapshot of a version that knew one mount for sources', () => {
    const wanted = over(fakeView(), '[{"channelId":"a","mount":"/a","bitrateKbps":128}]')
    expect(wanted.channels.get('/a')).toMatchObject({ primary: { mount: '/a', epoch: 0 }, standby: null })
  })

  test('remembers for the next process which channels are heard with a link alone', () => {
    const view = fakeView()
    const wanted = over(view)
    view.change({ ...command('a', '/a'), listeners: 'signed' } as StreamCommand, command('b', '/b'))
    const next = over(fakeView(), wanted.snapshot())
    expect([...next.channels.values()].map(({ isSigned }) => isSigned)).toEqual([true, false])
  })

  test('feeds a bitrate that MP3 does not have with the default one', () => {
    const view = fakeView()
    const wanted = over(view)
    view.change(command('a', '/a', 'start_stream', 100))
    expect(wanted.channels.get('/a')?.bitrateKbps).toBe(96)
  })

  test('gives a mount to the channel that is to be on air there', () => {
    const view = fakeView()
    const wanted = over(view)
    view.change(command('former', '/a', 'stop_stream'), command('present', '/a'), command('other', '/a', 'stop_stream'))
    expect(wanted.at('/a')?.channel_id).toBe('present')
  })

  test('what the process before knew stands in until everything has been read', () => {
    const before = fakeView()
    const snapshotOf = over(before)
    before.change(command('a', '/a'), command('b', '/b'), command('c', '/c'))
    const view = fakeView()
    const wanted = over(view, snapshotOf.snapshot())
    view.change(command('a', '/a', 'stop_stream'), command('b', '/renamed'))
    expect([...wanted.channels.keys()].sort((x, y) => x.localeCompare(y))).toEqual(['/c', '/renamed'])
    view.isCaughtUp = true
    view.change()
    expect([...wanted.channels.keys()]).toEqual(['/renamed'])
  })

  test('rules a mount out only when everything has been read', () => {
    const view = fakeView()
    const wanted = over(view)
    view.change(command('a', '/a'))
    expect([wanted.mayBeHeard('/a'), wanted.mayBeHeard('/b')]).toEqual([true, true])
    view.isCaughtUp = true
    view.change(command('a', '/a'))
    expect([wanted.mayBeHeard('/a'), wanted.mayBeHeard('/b')]).toEqual([true, false])
    view.change(command('a', '/a', 'stop_stream'))
    expect(wanted.mayBeHeard('/a')).toBe(false)
  })

  test.each(['', '{', '[{}]', '[{"channelId":"a","mount":"/w/a","bitrateKbps":128}]'])(
    'begins empty with the snapshot %j',
    (text) => {
      expect(over(fakeView(), text).channels.size).toBe(0)
    },
  )
})
