import type { Admin } from 'kafkajs'
import { within, type OpenLine } from './client.ts'
import { unavailable } from './failure.ts'

export interface KafkaAdmin extends AsyncDisposable {
  /** Asks Kafka something within `limitMs`, connecting first when there is no connection. Rejects with BUS_UNAVAILABLE. */
  ask<R>(what: string, limitMs: number, question: (admin: Admin) => Promise<R>): Promise<R>
}

/** One connection for questions, shared by all parts of the bus, and made anew after any failure. */
export function kafkaAdmin(openLine: OpenLine): KafkaAdmin {
  let current: Connection | undefined

  const open = (): Connection => {
    const line = openLine()
    const admin = line.kafka.admin()
    return { ready: admin.connect().then(() => admin), close: () => line.hangUp(admin) }
  }
  const drop = async (connection: Connection) => {
    if (current === connection) current = undefined
    await connection.close()
  }

  return {
    async ask(what, limitMs, question) {
      const connection = (current ??= open())
      try {
        return await within(limitMs, what, connection.ready.then(question))
      } catch (error) {
        void drop(connection)
        throw unavailable(error)
      }
    },
    async [Symbol.asyncDispose]() {
      if (current) await drop(current)
    },
  }
}

interface Connection {
  readonly ready: Promise<Admin>
  close(): Promise<void>
}
