import { silentLogger } from '@skipcast/runtime'
import { stringify } from 'yaml'
import type { ApiPorts } from '../ports.ts'
import { buildApp } from './app.ts'

/** The OpenAPI document. It follows from the routes alone: nothing of the world is asked. */
export async function openApiDocument() {
  const unasked = { stores: {}, settings: { trustedProxies: [], requestsPerMinute: 1 } } as unknown as ApiPorts
  const app = await buildApp(unasked, { logger: silentLogger() })
  const document = app.swagger()
  await app.close()
  return document
}

/** The same as YAML. */
export async function openApiText(): Promise<string> {
  const text = stringify(await openApiDocument(), { lineWidth: 120, aliasDuplicateObjects: false, compat: 'yaml-1.1' })
  return `# Generated from the routes: pnpm generate:openapi\n${text}`
}
