import type { Identity } from './account-records.ts'

/** A token that has just proved valid is not looked up again for so long. */
const TRUST_TOKENS_MS = 1000
/** So many at most. */
const MAX_TRUSTED = 10_000

/** Who proved to be whom a moment ago. */
export interface TrustedTokens {
  /** By the token's hash. */
  find(hash: string): Identity | null
  /** Who is told here is trusted, unless something was revoked since `begin` gave this number. */
  trust(hash: string, identity: Identity, expiresInMs: number, era: number): void
  begin(): number
  /** Something was revoked or changed: what was read before is not to be trusted after. */
  distrustAll(): void
}

export function trustedTokens(): TrustedTokens {
  const trusted = new Map<string, { readonly identity: Identity; readonly until: number }>()
  let era = 0
  return {
    find(hash) {
      const known = trusted.get(hash)
      return known && performance.now() < known.until ? known.identity : null
    },
    trust(hash, identity, expiresInMs, readIn) {
      if (readIn !== era) return
      if (trusted.size >= MAX_TRUSTED) trusted.clear()
      trusted.set(hash, { identity, until: performance.now() + Math.min(TRUST_TOKENS_MS, expiresInMs) })
    },
    begin: () => era,
    distrustAll() {
      era += 1
      trusted.clear()
    },
  }
}
