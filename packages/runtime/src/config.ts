import { z } from 'zod'
import { AppError } from './errors.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the environment through several schemas at once and tells all problems together, with the variable's name and
 * without its value. An empty variable counts as absent. Throws CONFIG_INVALID.
 */
export function readConfig<const S extends Record<string, z.ZodType>>(
  schemas: S,
  environment: Environment,
): { [K in keyof S]: z.output<S[K]> } {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''))
  const problems = new Set<string>()
  const config: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(schemas)) {
    const result = schema.safeParse(given)
    if (result.success) config[name] = result.data
    else for (const issue of result.error.issues) problems.add(`${String(issue.path[0] ?? name)}: ${issue.message}`)
  }
  if (problems.size > 0) {
    const lines = [...problems].map((problem) => `  - ${problem}`).join('\n')
    throw new AppError('CONFIG_INVALID', `The configuration has ${problems.size} problem(s):\n${lines}`, {
      details: [...problems],
    })
  }
  return config as { [K in keyof S]: z.output<S[K]> }
}

/** The building blocks of the schemas: what a variable may look like. */
export const env = {
  port: () =>
    z
      .string()
      .regex(/^\d{1,5}$/, 'must be a port, 1 to 65535')
      .transform(Number)
      .pipe(z.int().min(1).max(65_535)),
  integer: (min: number, max: number) =>
    z
      .string()
      .regex(/^-?\d{1,15}$/, 'must be a whole number')
      .transform(Number)
      .pipe(z.int().min(min).max(max)),
  boolean: () => z.enum(['true', 'false'], { error: 'must be true or false' }).transform((value) => value === 'true'),
  url: (...protocols: string[]) =>
    z.string().refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), {
      error: `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    }),
  host: () => z.string().regex(/^[A-Za-z0-9.:_-]{1,253}$/, 'must be a host name or an address'),
  name: () => z.string().regex(/^[A-Za-z0-9._-]{1,100}$/, 'may hold letters, digits, dot, dash and underscore'),
}
