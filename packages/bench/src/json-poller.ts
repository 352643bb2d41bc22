import { setTimeout as sleep } from 'node:timers/promises'

/**
 * The rival that `metrics-poll` measures: `<mounts> <port>…`. Asks each Icecast's public page for one mount after the other, each mount
 * once per second if it can, and keeps the counts. Ends when it is killed.
 */
const [mounts, ...ports] = process.argv.slice(2)
const counts = new Map<string, number>()

async function pollAll(port: string, server: number): Promise<void> {
  for (let index = 0; index < Number(mounts); index++) {
    const mount = `/channel-${server}-${index}`
    const answer = await fetch(`http://127.0.0.1:${port}/status-json.xsl?mount=${mount}`)
    const { icestats } = (await answer.json()) as { icestats: { source: { listeners: number } } }
    counts.set(mount, icestats.source.listeners)
  }
}

for (;;) {
  const next = performance.now() + 1000
  await Promise.all(ports.map(pollAll))
  await sleep(Math.max(0, next - performance.now()))
}
