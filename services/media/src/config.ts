import { mediaStoreConfig, mediaStoreProblems, mediaStoreVariables } from '@skipcast/media-store'
import { env } from '@skipcast/runtime'
import { z } from 'zod'

/** The variables of role media. */
export const mediaEnv = z
  .object({
    ...mediaStoreVariables,
    KAFKA_CONSUMER_GROUP: env.name().default('skipcast'),
    MEDIA_JOBS_AT_ONCE: env.integer(1, 64).default(2),
  })
  .check(({ value, issues }) => {
    for (const { variable, message } of mediaStoreProblems(value))
      issues.push({ code: 'custom', path: [variable], message, input: undefined })
  })
  .transform((flat) => ({
    mediaStore: mediaStoreConfig(flat),
    consumerGroup: `${flat.KAFKA_CONSUMER_GROUP}-media`,
    jobsAtOnce: flat.MEDIA_JOBS_AT_ONCE,
  }))

export type MediaConfig = z.output<typeof mediaEnv>
