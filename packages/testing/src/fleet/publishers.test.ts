import { expect, test } from '@jest/globals'
import { admissions, doublePublishers } from './publishers.ts'

const line = (mount: string, epoch: number) => JSON.stringify({ level: 30, mount, channelId: 'c', epoch, msg: 'source let in' })

test('an older epoch that is let in after a newer one is a double publisher; the same one again is none', () => {
  const log = [line('/a', 1), line('/a', 2), '{"msg":"source refused"}', line('/a', 2), line('/w/a', 1), line('/a', 1), ''].join(
    '\n',
  )
  expect(admissions(log)).toHaveLength(5)
  expect(doublePublishers(admissions(log))).toEqual(['epoch 1 of /a after 2'])
})
