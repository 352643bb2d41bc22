import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'

/**
 * Cures kafkajs 2.2.4 of a timer that never ends: each connection looks every millisecond whether a request waits that was held
 * back, even when none ever was, and Node warns that the time it asks for is negative (tulios/kafkajs#1751). With this it
 * looks only while something waits. Safe to call more than once.
 */
export function calmRequestQueues(): void {
  const queue = RequestQueue.prototype as Queue
  if (calmed.has(queue)) return
  calmed.add(queue)
  const { scheduleCheckPendingRequests } = queue
  queue.scheduleCheckPendingRequests = function (this: Queue) {
    if (this.pending.length > 0) scheduleCheckPendingRequests.call(this)
  }
}

interface Queue {
  readonly pending: readonly unknown[]
  scheduleCheckPendingRequests: (this: Queue) => void
}

const calmed = new WeakSet<Queue>()
