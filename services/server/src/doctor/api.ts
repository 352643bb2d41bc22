import { messageOf } from '@skipcast/runtime'
import type { ApiClient } from '../api-client.ts'
import type { Finding } from './finding.ts'

/** What to do about a dependency that `/readyz` calls away, by its name there. */
const cures: Readonly<Record<string, string>> = {
  bus: 'Is Kafka running, and is KAFKA_BROKER right? Streams play on meanwhile.',
  kafka: 'Look into kafka/broker.out and kafka/logs of the home. It is started again by itself.',
  database: 'Is PostgreSQL running, and is DATABASE_URL right? Streams play on meanwhile.',
  icecast2: 'Look into icecast/icecast2/error.log of the home. It is started again by itself.',
  haproxy: 'Look into icecast/haproxy/output.log of the home. It is started again by itself.',
  liquidsoap: 'Look into the log of the role liquidsoap: it says why no engine starts.',
  'listener metrics': 'Is Icecast there, and are METRICS_ICECASTS (or ICECAST_HOST, ICECAST_PORT) and ICECAST_PASSWORD right?',
}

/** Whether the API answers, and what it says of Kafka, PostgreSQL, Icecast and whatever else its process needs. */
export async function checkApi(api: Pick<ApiClient, 'readiness' | 'url'>): Promise<Finding[]> {
  try {
    const { dependencies } = await api.readiness()
    return [
      { what: `API at ${api.url} answers` },
      ...Object.entries(dependencies).map(([name, { problem }]) =>
        problem === null
          ? { what: `${name}: well` }
          : { what: `${name}: ${problem}`, problem: { cure: cures[name] ?? 'The log of Skipcast tells more.' } },
      ),
    ]
  } catch (error) {
    return [{ what: messageOf(error), problem: { cure: 'Start it: npm start. Elsewhere? SKIPCAST_API=http://host:port' } }]
  }
}
