import { expect, test } from '@jest/globals'
import { AppError } from '@skipcast/runtime'
import { inBatches } from './in-batches.ts'

/** Work that ends when told to. */
function slowWork() {
  const batches: { inputs: readonly number[]; end: (error?: Error) => void }[] = []
  const ask = inBatches<number, number>(
    (inputs) =>
      new Promise((done, failed) => {
        batches.push({ inputs, end: (error) => (error ? failed(error) : done(inputs.map((input) => input * 2))) })
      }),
  )
  return { ask, batches }
}

const turn = () => new Promise((resume) => setImmediate(resume))

test('calls of one turn go together, and what comes while they are under way goes together next', async () => {
  const { ask, batches } = slowWork()
  const first = [ask(1), ask(2)]
  await turn()
  const second = [ask(3), ask(4), ask(5)]
  await turn()
  expect(batches.map(({ inputs }) => inputs)).toEqual([[1, 2]])
  batches[0]!.end()
  expect(await Promise.all(first)).toEqual([2, 4])
  await turn()
  expect(batches[1]!.inputs).toEqual([3, 4, 5])
  batches[1]!.end()
  expect(await Promise.all(second)).toEqual([6, 8, 10])
})

test('one that can not be done harms no other', async () => {
  const tried: number[] = []
  const ask = inBatches<number, number>(async (inputs) => {
    tried.push(inputs.length)
    if (inputs.includes(2)) throw new Error('never')
    return inputs
  })
  const answers = await Promise.allSettled([1, 2, 3].map((input) => ask(input)))
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(tried).toEqual([3, 1, 1, 1])
})

test('an outage is everybody’s who waits, and the next call is served again', async () => {
  const { ask, batches } = slowWork()
  const failing = [ask(1)]
  await turn()
  failing.push(ask(2))
  batches[0]!.end(new AppError('DATABASE_UNAVAILABLE', 'away'))
  expect((await Promise.allSettled(failing)).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  const next = ask(3)
  await turn()
  batches[1]!.end()
  expect(await next).toBe(6)
})

test('no batch is larger than the limit', async () => {
  const sizes: number[] = []
  const ask = inBatches<number, number>(async (inputs) => {
    sizes.push(inputs.length)
    return inputs
  })
  await Promise.all(Array.from({ length: 80 }, (_, input) => ask(input)))
  expect(sizes).toEqual([32, 32, 16])
})
