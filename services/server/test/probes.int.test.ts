import { expect, test } from '@jest/globals'
import { freePort, healthBoard, meters } from '@skipcast/runtime'
import { startProbes } from '../src/probes.ts'

test('a process without the role api tells how it is', async () => {
  const health = healthBoard()
  const board = meters()
  board.counter('skipcast_falls_total', 'Falls.').inc()
  const port = await freePort()
  await using _probes = await startProbes({ host: '127.0.0.1', port }, { health, meters: board })
  const get = async (path: string, method = 'GET') => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method })
    return { status: answer.status, text: await answer.text() }
  }
  expect((await get('/metrics')).text).toContain('skipcast_falls_total 1')
  expect((await get('/healthz')).status).toBe(200)
  health.report('bus', 'away')
  expect(await get('/readyz')).toMatchObject({ status: 503, text: expect.stringContaining('"problem":"away"') })
  health.report('bus', null)
  expect((await get('/readyz')).status).toBe(200)
  expect((await get('/secrets')).status).toBe(404)
  expect((await get('/metrics', 'POST')).status).toBe(404)
  await expect(startProbes({ host: '127.0.0.1', port }, { health, meters: board })).rejects.toMatchObject({ code: 'PORT_TAKEN' })
})
