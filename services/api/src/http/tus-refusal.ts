/** What the protocol (tus 1.0) says to a request that is not as it should be. */
export class TusRefusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'TusRefusal'
    this.status = status
  }
}
