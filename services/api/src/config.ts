import { isIP } from 'node:net'
import { mediaStoreConfig, mediaStoreProblems, mediaStoreVariables } from '@skipcast/media-store'
import { env } from '@skipcast/runtime'
import { z } from 'zod'

const BITRATES = ['32', '40', '48', '56', '64', '80', '96', '112', '128', '160', '192', '224', '256', '320'] as const
const SAMPLE_RATES = ['32000', '44100', '48000'] as const
const GIB = 1024 ** 3
const MAX_MEDIA_BYTES = 2 * GIB

/** Addresses and networks, a comma list. */
const proxies = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .refine((parts) => parts.every(isNetwork), { error: 'must be addresses or networks such as 10.0.0.0/8, a comma list' })

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const most = isIP(address) === 6 ? 128 : 32
  return isIP(address) !== 0 && rest.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most))
}

/** What a provider gave the operator. */
const key = z.string().min(1).max(500)

/** Each of these needs the others. */
const TOGETHER = [
  ['SMTP_URL', 'MAIL_FROM'],
  ['GOOGLE_CLIENT_ID', 'GOOGLE_CLIENT_SECRET'],
  ['FACEBOOK_CLIENT_ID', 'FACEBOOK_CLIENT_SECRET'],
  ['OPENID_ISSUER', 'OPENID_CLIENT_ID', 'OPENID_CLIENT_SECRET'],
] as const

/** The variables of the role `api`. */
export const apiEnv = z
  .object({
    API_HOST: env.host().default('127.0.0.1'),
    API_PORT: env.port().default(3000),
    DATABASE_URL: env.url('postgresql:', 'postgres:').optional(),
    ICECAST_PORT: env.port().default(8000),
    PUBLIC_LISTEN_URL: env.url('http:', 'https:').optional(),
    API_RATE_LIMIT: env.integer(1, 10_000_000).default(12_000),
    API_TRUST_PROXY: proxies.default([]),
    API_EVENT_CLIENTS: env.integer(0, 100_000).default(200),
    API_EVENT_CLIENTS_PER_ADDRESS: env.integer(1, 100_000).default(20),
    ...mediaStoreVariables,
    MEDIA_MAX_BYTES: env.integer(1024, MAX_MEDIA_BYTES).default(MAX_MEDIA_BYTES),
    MEDIA_QUOTA_BYTES: env.integer(0, Number.MAX_SAFE_INTEGER).default(50 * GIB),
    LISTEN_URL_MINUTES: env.integer(1, 43_200).default(360),
    CHANNELS_PER_USER: env.integer(1, 1_000_000).default(5),
    LIQUIDSOAP_BITRATE: z.enum(BITRATES, { error: 'must be a bitrate of MP3 in kbit/s, such as 128' }).default('128'),
    LIQUIDSOAP_SAMPLERATE: z.enum(SAMPLE_RATES, { error: `must be one of ${SAMPLE_RATES.join(', ')}` }).default('44100'),
    SOURCE_SIGNING_KEY: z.string().min(32, 'must have at least 32 characters').max(500).optional(),
    PUBLIC_URL: env.url('http:', 'https:').optional(),
    ACCOUNTS_SECRET: z.string().min(32, 'must have at least 32 characters').max(500).optional(),
    REGISTRATION: z.enum(['open', 'closed'], { error: 'must be open or closed' }).default('open'),
    REGISTRATION_ROLE: z.enum(['listener', 'dj'], { error: 'must be listener or dj' }).default('listener'),
    SESSION_DAYS: env.integer(1, 400).default(30),
    LOGIN_TRIES_PER_ADDRESS: env.integer(1, 10_000_000).default(30),
    LOGIN_TRIES_PER_ACCOUNT: env.integer(1, 10_000_000).default(15),
    SMTP_URL: env.url('smtp:', 'smtps:').optional(),
    MAIL_FROM: z
      .string()
      .max(320)
      .regex(/^([^<>\r\n"]+ <[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/, 'must be an address, or Name <address>')
      .optional(),
    GOOGLE_CLIENT_ID: key.optional(),
    GOOGLE_CLIENT_SECRET: key.optional(),
    FACEBOOK_CLIENT_ID: key.optional(),
    FACEBOOK_CLIENT_SECRET: key.optional(),
    OPENID_ISSUER: env.url('https:', 'http:').optional(),
    OPENID_CLIENT_ID: key.optional(),
    OPENID_CLIENT_SECRET: key.optional(),
    OPENID_NAME: z.string().min(1).max(100).default('OpenID'),
    KAFKA_CONSUMER_GROUP: env.name().default('skipcast'),
    SERVER_SILENT_AFTER_MS: env.integer(500, 600_000).default(2000),
    SERVER_GRACE_MS: env.integer(0, 3_600_000).default(10_000),
    FAILOVER_MAX_SILENT_PERCENT: env.integer(0, 100).default(50),
    FAILOVERS_PER_SECOND: env.integer(1, 100_000).default(200),
    MOVES_PER_SECOND: env.integer(1, 100_000).default(8),
    LISTENER_HISTORY_DAYS: env.integer(3, 3650).default(400),
    TRACK_PLAYS_DAYS: env.integer(1, 3650).default(400),
    TRASH_DAYS: env.integer(1, 3650).default(30),
  })
  .check(({ value, issues }) => {
    for (const { variable, message } of mediaStoreProblems(value))
      issues.push({ code: 'custom', path: [variable], message, input: undefined })
    for (const group of TOGETHER) {
      const missing = group.filter((name) => value[name] === undefined)
      if (missing.length === group.length) continue
      for (const name of missing)
        issues.push({ code: 'custom', path: [name], message: `is needed beside ${group[0]}`, input: undefined })
    }
  })
  .transform((flat) => ({
    host: flat.API_HOST,
    port: flat.API_PORT,
    /** Absent: a PostgreSQL of our own is run in the home. */
    databaseUrl: flat.DATABASE_URL,
    /** What listeners put before a mount. */
    listenUrl: (flat.PUBLIC_LISTEN_URL ?? `http://localhost:${flat.ICECAST_PORT}`).replace(/\/+$/, ''),
    requestsPerMinute: flat.API_RATE_LIMIT,
    trustedProxies: flat.API_TRUST_PROXY,
    maxEventClients: flat.API_EVENT_CLIENTS,
    maxEventClientsPerAddress: flat.API_EVENT_CLIENTS_PER_ADDRESS,
    mediaStore: mediaStoreConfig(flat),
    mediaMaxBytes: flat.MEDIA_MAX_BYTES,
    /** 0: no limit. */
    mediaQuotaBytes: flat.MEDIA_QUOTA_BYTES,
    listenUrlMinutes: flat.LISTEN_URL_MINUTES,
    channelsPerUser: flat.CHANNELS_PER_USER,
    trashDays: flat.TRASH_DAYS,
    /** The one format of everything that is sent. */
    airFormat: { bitrateKbps: Number(flat.LIQUIDSOAP_BITRATE), sampleRate: Number(flat.LIQUIDSOAP_SAMPLERATE) },
    /** Absent: a secret of the home, which the role icecast of the same home shares. */
    signingKey: flat.SOURCE_SIGNING_KEY,
    consumerGroup: `${flat.KAFKA_CONSUMER_GROUP}-api`,
    serverSilentAfterMs: flat.SERVER_SILENT_AFTER_MS,
    serverGraceMs: flat.SERVER_GRACE_MS,
    maxSilentPercent: flat.FAILOVER_MAX_SILENT_PERCENT,
    /** Where people reach this API. */
    publicUrl: (flat.PUBLIC_URL ?? `http://localhost:${flat.API_PORT}`).replace(/\/+$/, ''),
    /** Absent: a secret of the home. Several processes must share one. */
    accountsSecret: flat.ACCOUNTS_SECRET,
    newcomers: { areWelcome: flat.REGISTRATION === 'open', role: flat.REGISTRATION_ROLE },
    sessionDays: flat.SESSION_DAYS,
    triesPerAddress: flat.LOGIN_TRIES_PER_ADDRESS,
    triesPerAccount: flat.LOGIN_TRIES_PER_ACCOUNT,
    /** Absent: mails wait on the bus. */
    smtp: flat.SMTP_URL === undefined ? null : { url: flat.SMTP_URL, from: flat.MAIL_FROM! },
    providers: {
      ...(flat.GOOGLE_CLIENT_ID && { google: { clientId: flat.GOOGLE_CLIENT_ID, clientSecret: flat.GOOGLE_CLIENT_SECRET! } }),
      ...(flat.FACEBOOK_CLIENT_ID && {
        facebook: { clientId: flat.FACEBOOK_CLIENT_ID, clientSecret: flat.FACEBOOK_CLIENT_SECRET! },
      }),
      ...(flat.OPENID_ISSUER && {
        openid: {
          issuer: flat.OPENID_ISSUER.replace(/\/+$/, ''),
          clientId: flat.OPENID_CLIENT_ID!,
          clientSecret: flat.OPENID_CLIENT_SECRET!,
          name: flat.OPENID_NAME,
        },
      }),
    },
    placement: { urgentPerSecond: flat.FAILOVERS_PER_SECOND, plannedPerSecond: flat.MOVES_PER_SECOND },
    history: { listenersDays: flat.LISTENER_HISTORY_DAYS, trackPlaysDays: flat.TRACK_PLAYS_DAYS },
  }))

export type ApiConfig = z.output<typeof apiEnv>
