/** Unit tests sit beside their subject; integration tests (`*.int.test.ts`) use the real parts and run one file at a time. */
const swc = { jsc: { parser: { syntax: 'typescript' }, target: 'esnext' }, module: { type: 'es6' }, sourceMaps: 'inline' }

const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  roots: ['<rootDir>/services', '<rootDir>/packages'],
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
  modulePathIgnorePatterns: ['<rootDir>/.skipcast'],
}

export default {
  testTimeout: 60_000,
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['**/src/**/*.test.ts'] },
    {
      ...shared,
      displayName: 'int',
      testMatch: ['**/test/**/*.int.test.ts'],
      globalTeardown: '<rootDir>/packages/db/src/testing/stop-test-servers.ts',
    },
  ],
}
