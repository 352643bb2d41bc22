import { env } from '@skipcast/runtime'
import { isIP } from 'node:net'
import { z } from 'zod'
import { isMp3Bitrate, isMp3SampleRate } from './domain/mp3-format.ts'

const PRIVATE_NETWORKS = ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '::1', 'fc00::/7']

/** The variables of role icecast. Passwords and keys that are not given are made at first use and kept in the home. */
export const icecastEnv = z
  .object({
    ICECAST_BIND: env.host().default('0.0.0.0'),
    ICECAST_PORT: env.port().default(8000),
    ICECAST_HOSTNAME: env.host().default('localhost'),
    ICECAST_BIN: z.string().max(1000).default('icecast2'),
    HAPROXY_BIN: z.string().max(1000).default('/usr/sbin/haproxy'),
    ICECAST_TLS_CERT: z.string().max(1000).optional(),
    ICECAST_TLS_PORT: env.port().default(8443),
    ICECAST_STATISTICS_FROM: networks().default(PRIVATE_NETWORKS),
    ICECAST_LOG_KB: env.integer(16, 10_000_000).default(10_000),
    ICECAST_USER: env.name().default('admin'),
    ICECAST_PASSWORD: z.string().max(200).optional(),
    SOURCE_SIGNING_KEY: z.string().min(32, 'must have 32 characters or more').max(1000).optional(),
    ICECAST_MAX_LISTENERS: env.integer(1, 1_000_000).default(8000),
    ICECAST_MAX_SOURCES: env.integer(2, 100_000).default(2000),
    LIQUIDSOAP_BITRATE: bitrate().default(128),
    LIQUIDSOAP_SAMPLERATE: sampleRate().default(44_100),
  })
  .transform((given) => ({
    bind: given.ICECAST_BIND,
    port: given.ICECAST_PORT,
    hostname: given.ICECAST_HOSTNAME,
    binary: given.ICECAST_BIN,
    /** HAProxy, where the public connects. */
    front: {
      binary: given.HAPROXY_BIN,
      tls:
        given.ICECAST_TLS_CERT === undefined ? null : { certificateFile: given.ICECAST_TLS_CERT, port: given.ICECAST_TLS_PORT },
      /** Where the role metrics may ask from. */
      statisticsFrom: given.ICECAST_STATISTICS_FROM,
    },
    /** Of each log; the one before is kept beside it. */
    logMaxKb: given.ICECAST_LOG_KB,
    adminUser: given.ICECAST_USER,
    adminPassword: given.ICECAST_PASSWORD,
    signingKey: given.SOURCE_SIGNING_KEY,
    maxListeners: given.ICECAST_MAX_LISTENERS,
    /** A channel that somebody hears takes two: one for each of its mounts. */
    maxSources: given.ICECAST_MAX_SOURCES,
    /** What silence is encoded as; the bitrate for channels whose own one MP3 does not have. */
    silence: { bitrateKbps: given.LIQUIDSOAP_BITRATE, sampleRate: given.LIQUIDSOAP_SAMPLERATE },
  }))
export type IcecastConfig = z.output<typeof icecastEnv>

/** `address/bits,address` */
function networks() {
  return z
    .string()
    .transform((text) => text.split(','))
    .pipe(
      z
        .array(z.string().refine(isNetwork, { error: 'must be addresses or networks such as 10.0.0.0/8, as a comma list' }))
        .max(100),
    )
}

function isNetwork(text: string): boolean {
  const [address = '', bits = '0', ...more] = text.split('/')
  const family = isIP(address)
  return family !== 0 && more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
}

function bitrate() {
  return env.integer(1, 1000).refine(isMp3Bitrate, { error: 'must be a bitrate of MP3, such as 128' })
}

function sampleRate() {
  return env.integer(1, 96_000).refine(isMp3SampleRate, { error: 'must be 32000, 44100 or 48000' })
}
