import { expect, test } from '@jest/globals'
import type { LinkClaim } from '../ports.ts'
import { mediaLinks } from './media-links.ts'

const links = mediaLinks('s'.repeat(32))
const claim: LinkClaim = { part: 'file', mediaId: 'm1', sha256: 'a'.repeat(64), isForAll: false, expiresAt: 1_800_000_000 }

test('a signature is good for the one piece, file and moment it was made for', () => {
  const signature = links.sign(claim)
  expect(signature).toMatch(/^[\w-]{43}$/)
  expect(links.isSigned(claim, signature)).toBe(true)
  for (const other of [{ mediaId: 'm2' }, { isForAll: true }, { sha256: 'b'.repeat(64) }, { expiresAt: claim.expiresAt + 1 }])
    expect(links.isSigned({ ...claim, ...other }, signature)).toBe(false)
  expect(mediaLinks('t'.repeat(32)).isSigned(claim, signature)).toBe(false)
})

test.each(['', 'x', '=', 'A'.repeat(43), 'A'.repeat(5000), '\u0000'])('%j is no signature', (text) => {
  expect(links.isSigned(claim, text)).toBe(false)
})
