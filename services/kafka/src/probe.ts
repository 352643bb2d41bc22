import { connect } from 'node:net'

const METADATA = 3
const METADATA_VERSION = 6
const CLIENT_ID = 'skipcast-probe'

/**
 * True when a broker answers here and counts itself as alive: one Metadata request of Kafka's protocol, about no topic.
 * An open port alone says little, since a broker opens it before it has read its logs.
 */
export function brokerAnswers(host: string, port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs })
    const deadline = setTimeout(() => settle(false), timeoutMs)
    let received = Buffer.alloc(0)
    const settle = (answers: boolean) => {
      clearTimeout(deadline)
      socket.destroy()
      resolve(answers)
    }
    socket.once('connect', () => socket.write(metadataRequest()))
    socket.once('error', () => settle(false))
    socket.once('close', () => settle(false))
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      // Size, correlation id, throttle time, then how many living brokers the answer lists: four numbers of four bytes.
      if (received.length >= 16) settle(received.readInt32BE(12) > 0)
    })
  })
}

function metadataRequest(): Buffer {
  const body = Buffer.alloc(8 + 2 + CLIENT_ID.length + 4 + 1)
  body.writeInt16BE(METADATA, 0)
  body.writeInt16BE(METADATA_VERSION, 2)
  body.writeInt32BE(1, 4) // correlation id
  body.writeInt16BE(CLIENT_ID.length, 8)
  body.write(CLIENT_ID, 10, 'latin1')
  body.writeInt32BE(0, 10 + CLIENT_ID.length) // no topics
  body.writeInt8(0, 14 + CLIENT_ID.length) // and make none
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length, 0)
  return Buffer.concat([size, body])
}
