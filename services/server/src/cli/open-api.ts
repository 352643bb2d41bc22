import { readConfig, readFileIfThere } from '@skipcast/runtime'
import { join } from 'node:path'
import { apiClient, type ApiClient } from '../api-client.ts'
import { cliEnv } from '../config.ts'
import type { Call } from './command.ts'

/** The API that the environment names, with the token that this user has; without one, only public questions are answered. */
export async function openApi({ environment }: Pick<Call, 'environment'>): Promise<ApiClient> {
  const { cli } = readConfig({ cli: cliEnv }, environment)
  const token = cli.token ?? (await readFileIfThere(join(cli.home, 'admin-token')))?.trim() ?? null
  return apiClient(cli.apiUrl, token)
}
