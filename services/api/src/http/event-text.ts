import type { Subscription } from '../stream-feed.ts'

const COMMENT_EVERY_MS = 15_000
/** A client that takes nothing for so long is hung up on. */
const STALLED_AFTER_MS = 10_000
const RETRY_MS = 2000
const STILL_HERE = Buffer.from(': still here\n\n')

/** What is written to a client, one event at a time: the next is made when the last was taken. */
export async function* eventText(subscription: Subscription, hangUp: () => void): AsyncGenerator<Buffer> {
  yield Buffer.from(`retry: ${RETRY_MS}\n\n`)
  for (;;) {
    const event = await subscription.next(COMMENT_EVERY_MS)
    const stalled = setTimeout(hangUp, STALLED_AFTER_MS)
    if (event === null) return void stalled.unref() // what is on its way has so long to arrive
    try {
      yield event === 'nothing' ? STILL_HERE : event
    } finally {
      clearTimeout(stalled) // who leaves while an event waits for them never comes back for the next
    }
  }
}
