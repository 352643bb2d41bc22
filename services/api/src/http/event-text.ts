import type { Subscription } from '../stream-feed.ts'

const COMMENT_EVERY_MS = 15_000
/** A client that takes nothing for so long is hung up on. */
const STALLED_AFTER_MS = 10_000
const RETRY_MS = 2000

/** What is written to a client, one event at a time: the next is made when the last was taken. */
export async function* eventText(subscription: Subscription, hangUp: () => void): AsyncGenerator<string> {
  yield `retry: ${RETRY_MS}\n\n`
  for (;;) {
    const events = await subscription.next(COMMENT_EVERY_MS)
    if (events === null) return
    for (const event of events.length > 0 ? events : [': still here\n\n']) {
      const stalled = setTimeout(hangUp, STALLED_AFTER_MS)
      try {
        yield event
      } finally {
        clearTimeout(stalled) // who leaves while an event waits for them never comes back for the next
      }
    }
  }
}
