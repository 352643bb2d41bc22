/** Unit tests sit beside their subject; integration tests (`*.int.test.ts`) use the real parts, in two lanes at once (`two-lanes.mjs`). */
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
  runner: '<rootDir>/packages/testing/src/two-lanes.mjs',
  globalTeardown: '<rootDir>/packages/db/src/testing/stop-test-servers.ts',
}

/**
 * These bear company: none of them fails because the machine is busy with something else. They take about as long as all others together, one
 * of which runs at a time, as many of those measure in milliseconds what a listener hears. The faults come first: they take long and little of
 * the machine, while the others begin with their largest files, which listen.
 */
const beside = [
  'services/server/test/faults',
  'packages/(audio|bench|db|runtime)/test/.*',
  'packages/testing/test/fuzz-api',
  'services/(api|kafka)/test/.*',
  'services/liquidsoap-agent/test/ssh-(install|key)',
  'services/server/test/(bootstrap|compose|demo-music|hostile-strings|npm-start|probes|role-locks|server-lost|skipcast-command)',
].map((pattern) => `/${pattern}\\.int\\.test\\.ts$`)

export default {
  testTimeout: 60_000,
  maxWorkers: 2,
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['**/src/**/*.test.ts'] },
    {
      ...integration,
      displayName: 'int',
      testMatch: ['**/test/**/*.int.test.ts'],
      testPathIgnorePatterns: ['/node_modules/', ...beside],
    },
    { ...integration, displayName: 'beside', testRegex: beside },
  ],
}
