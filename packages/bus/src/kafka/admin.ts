import type { Admin, Kafka } from 'kafkajs'
import { unavailable, within } from './client.ts'

const CLOSE_LIMIT_MS = 2000

export interface KafkaAdmin extends AsyncDisposable {
  /** Asks Kafka something within `limitMs`, connecting first when there is no connection. Rejects with BUS_UNAVAILABLE. */
  ask<R>(what: string, limitMs: number, question: (admin: Admin) => Promise<R>): Promise<R>
}

/** One connection for questions, shared by all parts of the bus, and made anew after any failure. */
export function kafkaAdmin(client: Kafka): KafkaAdmin {
  let current: Promise<Admin> | undefined

  const connect = async (): Promise<Admin> => {
    const admin = client.admin()
    await admin.connect()
    return admin
  }
  const drop = (connection: Promise<Admin>) => {
    if (current === connection) current = undefined
    return within(
      CLOSE_LIMIT_MS,
      'to say goodbye',
      connection.then((admin) => admin.disconnect()),
    ).catch(() => undefined)
  }

  return {
    async ask(what, limitMs, question) {
      const connection = (current ??= connect())
      try {
        return await within(limitMs, what, connection.then(question))
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
