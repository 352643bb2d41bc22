import { nightly, nightlyParts } from './nightly.ts'

const names = process.argv.slice(2)
const unknown = names.filter((name) => !nightlyParts.some((part) => part.name === name))
if (unknown.length > 0) {
  console.error(`No part of the night: ${unknown.join(', ')}. There are: ${nightlyParts.map(({ name }) => name).join(', ')}`)
  process.exitCode = 2
} else {
  const parts = nightlyParts.filter(({ name }) => names.length === 0 || names.includes(name))
  process.exitCode = await nightly(parts, process.env)
}
