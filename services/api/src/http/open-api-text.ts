import { silentLogger } from '@skipcast/runtime'
import { stringify } from 'yaml'
import type { ApiPorts } from '../ports.ts'
import { buildApp } from './app.ts'

/** The OpenAPI document as YAML. It follows from the routes alone: nothing of the world is asked. */
export async function openApiText(): Promise<string> {
  const unasked = { stores: {}, settings: { trustedProxies: [], requestsPerMinute: 1 } } as unknown as ApiPorts
  const app = await buildApp(unasked, { logger: silentLogger() })
  const document = app.swagger()
  await app.close()
  return `# Generated from the routes: pnpm generate:openapi\n${stringify(document, { lineWidth: 120, aliasDuplicateObjects: false, compat: 'yaml-1.1' })}`
}
