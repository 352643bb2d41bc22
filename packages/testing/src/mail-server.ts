import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { SMTPServer } from 'smtp-server'

export interface ReceivedMail {
  readonly from: string
  readonly to: readonly string[]
  readonly text: string
}

/** A real mail server on loopback, that keeps what it gets. */
export interface MailServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly mails: ReceivedMail[]
  /** Every recipient that was named, refused ones too. */
  readonly named: string[]
  /** What it says to a recipient, until it says otherwise; null: welcome. */
  refusal: { readonly code: number; readonly message: string } | null
}

export async function mailServer(port = 0): Promise<MailServer> {
  const mails: ReceivedMail[] = []
  const named: string[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    onRcptTo({ address }, _session, done) {
      named.push(address)
      const { refusal } = smtp
      done(refusal && Object.assign(new Error(refusal.message), { responseCode: refusal.code }))
    },
    onData(stream, { envelope }, done) {
      const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
      void (async () => {
        try {
          const body = await text(stream)
          mails.push({ from, to: envelope.rcptTo.map(({ address }) => address), text: unfolded(body) })
          done()
        } catch (error) {
          done(error as Error)
        }
      })()
    },
  })
  server.on('error', () => {}) // a client that hangs up
  const listener = server.listen(port, '127.0.0.1')
  await once(listener, 'listening')
  const found = (listener.address() as { port: number }).port
  const smtp: MailServer = {
    url: `smtp://127.0.0.1:${found}`,
    port: found,
    mails,
    named,
    refusal: null,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
  return smtp
}

/** Long lines come folded (quoted-printable). */
function unfolded(body: string): string {
  return body.replaceAll(/=\r\n/g, '').replaceAll('=3D', '=')
}
