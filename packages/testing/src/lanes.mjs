import TestRunner from 'jest-runner'

/**
 * The jest runner of the integration tests. Most of what they do is wait, so each jest project that names it is a lane: a process that takes
 * one file after the other, in the order of the project's patterns (`jest.config.js`), while the other lanes do the same.
 * With `--runInBand`, or of a single file, there is one lane.
 */
// oxlint-disable-next-line import/no-default-export -- jest takes the default export of a runner
export default class Lanes extends TestRunner {
  #lanes

  constructor(globalConfig, ...rest) {
    super(globalConfig, ...rest)
    // Not every project is a lane; one that gets no test starts no process.
    this.#lanes = globalConfig.projects.map(() => new TestRunner({ ...globalConfig, maxWorkers: 1 }, ...rest))
  }

  async runTests(tests, watcher, options) {
    if (options.serial) return super.runTests(tests, watcher, options)
    const place = ({ context, path }) => context.config.testRegex.findIndex((pattern) => new RegExp(pattern).test(path))
    const files = Object.values(Object.groupBy(tests, ({ context }) => context.config.displayName.name))
    await Promise.all(
      files.map((own, i) =>
        this.#lanes[i].runTests(
          own.toSorted((one, other) => place(one) - place(other)),
          watcher,
          options,
        ),
      ),
    )
  }

  on(event, listener) {
    const unsubscribes = [super.on(event, listener), ...this.#lanes.map((lane) => lane.on(event, listener))]
    return () => unsubscribes.forEach((unsubscribe) => unsubscribe())
  }
}
