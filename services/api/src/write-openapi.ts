import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { openApiText } from './http/open-api-text.ts'

await writeFile(fileURLToPath(new URL('../../../openapi.yaml', import.meta.url)), await openApiText())
