import { silentLogger } from '@skipcast/runtime'
import { openDatabase } from '../src/database.ts'
import { leadership } from '../src/leadership.ts'

/** A process that leads and tells its parent of it. It is made to be frozen and killed. */
process.once('message', (url: string) => {
  const logger = silentLogger()
  leadership({
    database: openDatabase(url, { logger }),
    logger,
    name: 'test',
    channel: 'news',
    lead() {
      process.send!('leads')
      return {
        onNotify: () => {},
        async [Symbol.asyncDispose]() {
          process.send!('ends')
        },
      }
    },
  })
})
process.once('disconnect', () => process.exit(0))
