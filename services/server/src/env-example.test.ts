import { readFileSync } from 'node:fs'
import { busEnv } from '@skipcast/bus'
import { expect, test } from '@jest/globals'
import { z } from 'zod'
import { cliEnv, serverEnv } from './config.ts'
import { readConfigs, roleEnvs } from './configs.ts'

const lines = readFileSync(new URL('../../../deploy/env.example', import.meta.url), 'utf8').split('\n')
const variables = lines.flatMap((line) => {
  const match = /^(#?)([A-Z][A-Z0-9_]*)=(\S*)/.exec(line)
  return match ? [{ name: match[2]!, value: match[3]!, isSet: match[1] === '' }] : []
})

test('env.example names every variable of every schema once, and no other', () => {
  const known = [serverEnv, cliEnv, busEnv, ...Object.values(roleEnvs)].flatMap(variablesOf)
  expect(variables.map(({ name }) => name).sort()).toEqual([...new Set(known)].sort())
})

test('env.example holds the defaults', () => {
  const given = Object.fromEntries(variables.filter(({ isSet }) => isSet).map(({ name, value }) => [name, value]))
  expect(readConfigs(given)).toEqual(readConfigs({}))
})

/** The names in the object at the front of a schema's pipe. */
function variablesOf(schema: z.ZodType): string[] {
  if (schema instanceof z.ZodPipe) return variablesOf(schema.in as z.ZodType)
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape)
  throw new Error('not the schema of an environment')
}
