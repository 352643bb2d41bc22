import { env } from '@skipcast/runtime'
import { z } from 'zod'
import { isMp3Bitrate, isMp3SampleRate } from './domain/mp3-format.ts'

/** The variables of role icecast. Passwords and keys that are not given are made at first use and kept in the home. */
export const icecastEnv = z
  .object({
    ICECAST_BIND: env.host().default('0.0.0.0'),
    ICECAST_PORT: env.port().default(8000),
    ICECAST_HOSTNAME: env.host().default('localhost'),
    ICECAST_BIN: z.string().max(1000).default('icecast2'),
    ICECAST_USER: env.name().default('admin'),
    ICECAST_PASSWORD: z.string().max(200).optional(),
    SOURCE_SIGNING_KEY: z.string().min(32, 'must have 32 characters or more').max(1000).optional(),
    ICECAST_MAX_LISTENERS: env.integer(1, 1_000_000).default(10_000),
    ICECAST_MAX_SOURCES: env.integer(2, 100_000).default(2000),
    LIQUIDSOAP_BITRATE: bitrate().default(128),
    LIQUIDSOAP_SAMPLERATE: sampleRate().default(44_100),
  })
  .transform((given) => ({
    bind: given.ICECAST_BIND,
    port: given.ICECAST_PORT,
    hostname: given.ICECAST_HOSTNAME,
    binary: given.ICECAST_BIN,
    adminUser: given.ICECAST_USER,
    adminPassword: given.ICECAST_PASSWORD,
    signingKey: given.SOURCE_SIGNING_KEY,
    maxListeners: given.ICECAST_MAX_LISTENERS,
    /** A channel takes two: its own mount and its waiting mount. */
    maxSources: given.ICECAST_MAX_SOURCES,
    /** What silence is encoded as; the bitrate for channels whose own one MP3 does not have. */
    silence: { bitrateKbps: given.LIQUIDSOAP_BITRATE, sampleRate: given.LIQUIDSOAP_SAMPLERATE },
  }))
export type IcecastConfig = z.output<typeof icecastEnv>

function bitrate() {
  return env.integer(1, 1000).refine(isMp3Bitrate, { error: 'must be a bitrate of MP3, such as 128' })
}

function sampleRate() {
  return env.integer(1, 96_000).refine(isMp3SampleRate, { error: 'must be 32000, 44100 or 48000' })
}
