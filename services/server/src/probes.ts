import { createServer, type ServerResponse } from 'node:http'
import { AppError, type HealthBoard, type Meters } from '@skipcast/runtime'

/** Where a process tells how it is, whatever its roles. */
export interface ProbeConfig {
  readonly host: string
  readonly port: number
}

const REQUEST_TIMEOUT_MS = 5000
const MAX_CONNECTIONS = 50

/**
 * Serves `/metrics` (Prometheus), `/healthz` (the process lives) and `/readyz` (all it needs is there, or 503 with what is not) to whoever reaches the
 * port: it has no tokens, so keep it inside. Rejects with PORT_TAKEN.
 */
export async function startProbes(
  { host, port }: ProbeConfig,
  about: { health: HealthBoard; meters: Meters },
): Promise<AsyncDisposable> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    answer(request.method ?? '', request.url ?? '', response, about).catch(() => response.destroy())
  })
  server.maxConnections = MAX_CONNECTIONS
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new AppError('PORT_TAKEN', `Port ${port} can not be had. Choose another with METRICS_PORT.`, { cause })),
    )
    server.listen(port, host, resolve)
  })
  return {
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  method: string,
  path: string,
  response: ServerResponse,
  { health, meters }: { health: HealthBoard; meters: Meters },
): Promise<void> {
  const send = (status: number, body: string, contentType = 'application/json') =>
    response.writeHead(status, { 'content-type': contentType, 'x-content-type-options': 'nosniff' }).end(body)
  const key = method === 'GET' || method === 'HEAD' ? path : ''
  if (key === '/metrics') {
    const { text, contentType } = await meters.show()
    send(200, text, contentType)
  } else if (key === '/healthz') send(200, JSON.stringify({ status: 'ok' }))
  else if (key === '/readyz') {
    const dependencies = health.read()
    const ready = Object.values(dependencies).every(({ ok }) => ok)
    send(ready ? 200 : 503, JSON.stringify({ ready, dependencies }))
  } else send(404, JSON.stringify({ error: 'NOT_FOUND', message: 'There are GET /metrics, /healthz and /readyz here.' }))
}
