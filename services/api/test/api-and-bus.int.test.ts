import { expect, test } from '@jest/globals'
import { waitFor } from '@skipcast/runtime'
import { wholeApi } from './whole-api.ts'

const given = wholeApi()
const { beating, call, context, heartbeat, loseBus, runningChannel, start, started } = given

test('with the bus away a start is still taken, and published when it is back', async () => {
  const api = await started()
  const commands = given.bus.watch('streamCommands')
  await runningChannel(api) // its piece is imported while there is a bus
  given.bus.outage(true)
  const id = await runningChannel(api)
  expect(commands.values.has(id)).toBe(false)
  given.bus.outage(false)
  await waitFor('the command', () => commands.values.get(id)?.event === 'start_stream', { timeoutMs: 15_000 })
}, 30_000)

test('a new process tells a bus that lost everything what is wanted', async () => {
  const first = await started()
  const id = await runningChannel(first)
  await first[Symbol.asyncDispose]()
  await loseBus()
  const commands = given.bus.watch('streamCommands')
  await start()
  await waitFor('the wanted channel', () => commands.values.get(id)?.event === 'start_stream', { timeoutMs: 15_000 })
  expect(commands.values.get(id)!.generation).toBe(1)
})

test('a channel that waits is placed when a server appears, and a server that falls silent is told', async () => {
  const api = await started({ SERVER_SILENT_AFTER_MS: '1000' })
  const id = await runningChannel(api)
  const stream = async () => (await call(api, 'GET', `/api/channels/${id}/stream/status`)).body.stream
  expect(await stream()).toMatchObject({ phase: 'placing', server: null, epoch: 0 })
  {
    await using _server = beating('late')
    await waitFor('it to be placed', async () => (await stream()).server === 'late', { timeoutMs: 10_000 })
    expect(await stream()).toMatchObject({ phase: 'starting', epoch: 1 })
  }
  await waitFor('the silence to be seen', async () => (await stream()).last_error?.code === 'SERVER_SILENT', {
    timeoutMs: 10_000,
  })
  expect((await stream()).phase).toBe('failing')
  await using _again = beating('late')
  await waitFor('it to be heard again', async () => (await stream()).phase === 'starting', { timeoutMs: 10_000 })
}, 30_000)

test('while the bus is away no server is called silent: it is said that what is shown is old', async () => {
  const api = await started({ SERVER_SILENT_AFTER_MS: '1500' })
  await using _server = beating('one')
  const id = await runningChannel(api)
  const stream = async () => (await call(api, 'GET', `/api/channels/${id}/stream/status`)).body.stream
  await waitFor('it to be placed', async () => (await stream()).server === 'one', { timeoutMs: 10_000 })
  const seen = new Set<string>()
  const look = async () => {
    const { stale, last_error: error } = await stream()
    seen.add(`${stale} ${error?.code ?? 'fine'}`)
    return { stale }
  }
  const watchFor = (timeMs: number) => {
    const until = performance.now() + timeMs
    return waitFor('time to pass', async () => (await look()) && performance.now() > until, { timeoutMs: timeMs + 5000 })
  }
  given.bus.outage(true)
  await watchFor(2500) // much longer than a server may be silent
  given.bus.outage(false)
  await watchFor(1500)
  await waitFor('it to be fresh again', async () => !(await look()).stale, { timeoutMs: 10_000 })
  expect([...seen].toSorted()).toEqual(['false fine', 'true BUS_UNREACHABLE'])
}, 30_000)

test('a heartbeat that stood on the topic from long ago places nothing', async () => {
  await heartbeat('dead', Date.now() - 60_000)
  const api = await started()
  const id = await runningChannel(api)
  expect((await call(api, 'GET', `/api/channels/${id}/stream/status`)).body.stream.phase).toBe('placing')
})

test('of two API processes one relays and places, and the other takes over when it ends', async () => {
  const first = await started()
  const second = await started({}, context('two'))
  await using _server = beating('one')
  const id = await runningChannel(second)
  const commands = given.bus.watch('streamCommands')
  await waitFor('it to be placed', () => commands.values.get(id)?.epoch === 1, { timeoutMs: 10_000 })
  await first[Symbol.asyncDispose]()
  await call(second, 'POST', `/api/channels/${id}/stream/stop`)
  await waitFor('the stop', () => commands.values.get(id)?.event === 'stop_stream', { timeoutMs: 10_000 })
})
