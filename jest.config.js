/** Unit tests sit beside their subject; integration tests (`*.int.test.ts`) use the real parts, in three lanes at once (`lanes.mjs`). */
const swc = { jsc: { parser: { syntax: 'typescript' }, target: 'esnext' }, module: { type: 'es6' }, sourceMaps: 'inline' }

const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  roots: ['<rootDir>/services', '<rootDir>/packages'],
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
  modulePathIgnorePatterns: ['<rootDir>/.skipcast'],
}

const integration = {
  ...shared,
  runner: '<rootDir>/packages/testing/src/lanes.mjs',
  globalTeardown: '<rootDir>/packages/db/src/testing/stop-test-servers.ts',
}

/** These take long, and little of the machine but for the last one. */
const long = paths(['services/server/test/(faults|fleet-faults|server-lost)', 'packages/simulation/test/.*'])

/** These bear company: none of them fails because the machine is busy with something else. */
const beside = paths([
  'packages/(audio|bench|db|media-store|runtime)/test/.*',
  'packages/bus/test/kafka-(inspector|security|topics)',
  'packages/testing/test/fuzz-api',
  'services/(api|kafka|media)/test/.*',
  'services/liquidsoap-agent/test/ssh-(install|key)',
  'services/server/test/(bootstrap|compose|demo-music|hostile-strings|npm-start|probes|role-locks|skipcast-command)',
])

export default {
  testTimeout: 60_000,
  maxWorkers: 2,
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['**/src/**/*.test.ts'] },
    {
      ...integration,
      displayName: 'int',
      testMatch: ['**/test/**/*.int.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', ...long, ...beside],
    },
    { ...integration, displayName: 'long', testRegex: long },
    { ...integration, displayName: 'beside', testRegex: beside },
  ],
}

function paths(patterns) {
  return patterns.map((pattern) => `/${pattern}\\.int\\.test\\.ts$`)
}
