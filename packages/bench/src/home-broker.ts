import type { Home } from '@skipcast/runtime'

/** The broker that a Skipcast of this home runs. */
export async function homeBroker(home: Home): Promise<string> {
  return `127.0.0.1:${await home.port('kafka')}`
}
