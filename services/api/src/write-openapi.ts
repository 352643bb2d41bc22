import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { openApiText } from './http/open-api-text.ts'
import { postmanText } from './http/postman-text.ts'

const inRoot = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url))
await writeFile(inRoot('openapi.yaml'), await openApiText())
await writeFile(inRoot('deploy/postman-collection.json'), await postmanText())
