import TestRunner from 'jest-runner'

/**
 * The jest runner of the integration tests. Most of what they do is wait, so they run in two lanes at once, each a process that takes one
 * file after the other: those of the jest project `beside`, in the order of its patterns (`jest.config.js`), and all others.
 * With `--runInBand`, or of a single file, there is one lane.
 */
// oxlint-disable-next-line import/no-default-export -- jest takes the default export of a runner
export default class TwoLanes extends TestRunner {
  #beside

  constructor(globalConfig, ...rest) {
    const lane = { ...globalConfig, maxWorkers: 1 }
    super(lane, ...rest)
    this.#beside = new TestRunner(lane, ...rest)
  }

  async runTests(tests, watcher, options) {
    if (options.serial) return super.runTests(tests, watcher, options)
    const isBeside = ({ context }) => context.config.displayName?.name === 'beside'
    const place = ({ context, path }) => context.config.testRegex.findIndex((pattern) => new RegExp(pattern).test(path))
    await Promise.all([
      super.runTests(
        tests.filter((test) => !isBeside(test)),
        watcher,
        options,
      ),
      this.#beside.runTests(
        tests.filter(isBeside).toSorted((one, other) => place(one) - place(other)),
        watcher,
        options,
      ),
    ])
  }

  on(event, listener) {
    const unsubscribes = [super.on(event, listener), this.#beside.on(event, listener)]
    return () => unsubscribes.forEach((unsubscribe) => unsubscribe())
  }
}
