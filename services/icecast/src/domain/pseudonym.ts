import { createHmac } from 'node:crypto'

const DAY_MS = 86_400_000

/**
 * A name for whoever listens with one player from one address on one day (UTC): the same for all sessions of that day, another on the next,
 * and no way back to the address without the secret.
 */
export function pseudonym(secret: string, from: { readonly address: string; readonly agent: string }, at: number): string {
  const text = JSON.stringify([Math.floor(at / DAY_MS), from.address, from.agent])
  return createHmac('sha256', secret).update(text).digest('base64url').slice(0, 22)
}
