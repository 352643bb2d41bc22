import { join, resolve } from 'node:path'
import { env } from '@skipcast/runtime'
import { z } from 'zod'

const secret = z.string().regex(/^[\x21-\x7e]{1,200}$/, 'has a character that no key has')

/** The variables of whoever reads or writes media; they go into the schema of a role, and `mediaStoreProblems` into its checks. */
export const mediaStoreVariables = {
  MEDIA_PATH: z.string().max(1000).optional(),
  MEDIA_STORE: z.enum(['folder', 's3'], { error: 'must be folder or s3' }).default('folder'),
  S3_ENDPOINT: env.url('http:', 'https:').optional(),
  S3_BUCKET: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket: 3 to 63 of a-z, 0-9, dot and dash')
    .optional(),
  S3_REGION: env.name().default('us-east-1'),
  S3_ACCESS_KEY_ID: secret.optional(),
  S3_SECRET_ACCESS_KEY: secret.optional(),
  S3_FORCE_PATH_STYLE: env.boolean().default(true),
}

type Variables = z.output<z.ZodObject<typeof mediaStoreVariables>>

const NEEDED = ['S3_BUCKET', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'] as const

/** Where an object store is, and how it lets us in. */
export interface S3Config {
  /** Absent: that of AWS in this region. */
  readonly endpoint: string | undefined
  readonly bucket: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** The bucket in the path of a request, not in its host name. */
  readonly forcePathStyle: boolean
}

export interface MediaStoreConfig {
  /** Of this machine: the store itself where it is a folder, and where uploads come in. Absent: `media` in the home. */
  readonly path: string | undefined
  /** null: the folder is the store. */
  readonly s3: S3Config | null
}

/** What is wrong with these variables together. */
export function mediaStoreProblems(flat: Variables): { readonly variable: string; readonly message: string }[] {
  if (flat.MEDIA_STORE === 'folder') return []
  return NEEDED.filter((name) => flat[name] === undefined).map((variable) => ({
    variable,
    message: 'is needed with MEDIA_STORE=s3',
  }))
}

/** The same as an object of its own. */
export function mediaStoreConfig(flat: Variables): MediaStoreConfig {
  const s3 = {
    endpoint: flat.S3_ENDPOINT,
    bucket: flat.S3_BUCKET!,
    region: flat.S3_REGION,
    accessKeyId: flat.S3_ACCESS_KEY_ID!,
    secretAccessKey: flat.S3_SECRET_ACCESS_KEY!,
    forcePathStyle: flat.S3_FORCE_PATH_STYLE,
  }
  return { path: flat.MEDIA_PATH, s3: flat.MEDIA_STORE === 's3' ? s3 : null }
}

/** The folder of this machine where media are kept, or come in. */
export function mediaPath(config: Pick<MediaStoreConfig, 'path'>, home: { readonly path: string }): string {
  return resolve(config.path ?? join(home.path, 'media'))
}
