import { writeFileSync } from 'node:fs'
import { compareSchemas } from './schema-files.ts'

/** Writes what grew. What broke stays as it was, and is told. */
for (const { event, file, text, comparison } of compareSchemas()) {
  if (comparison.kind === 'broken') {
    console.error(`${comparison.advice}\n`)
    process.exitCode = 1
  } else if (text !== null && comparison.kind === 'grown') {
    writeFileSync(file, text)
    console.log(`${event}: written`)
  }
}
