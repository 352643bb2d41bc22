import { apiEnv } from '@skipcast/api/core'

/** As the role is by default. */
export const API = apiEnv.parse({})
export const ORIGIN = { application: 'skipcast', environment: 'simulation' }
export const SIGNING_KEY = 'the-key-of-all-simulations-0000000'
export const OPERATOR = 'office'
