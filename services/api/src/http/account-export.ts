import type { Account, PersonalData } from '@skipcast/db'
import { z } from 'zod'
import { accountBody, showAccount } from './views.ts'

const rows = z.array(z.looseObject({}))

/** Rows as they stand in their tables, but for secrets: what a table gets is in the next export. */
export const exportBody = z
  .looseObject({ exported_at: z.iso.datetime(), account: accountBody })
  .catchall(rows)
  .meta({ id: 'AccountExport' })

/** The text of an export, a page of rows at a time. Rejects with DATABASE_UNAVAILABLE. */
export async function* exportText(data: PersonalData, account: Account, at: Date): AsyncGenerator<string> {
  yield `{"exported_at":"${at.toISOString()}","account":${JSON.stringify(showAccount(account))}`
  for (const section of data.sections) {
    yield `,"${section}":[`
    let isFirst = true
    for await (const page of data.read(account.id, section)) {
      if (page.length > 0) yield (isFirst ? '' : ',') + page.map((row) => JSON.stringify(row)).join(',')
      isFirst &&= page.length === 0
    }
    yield ']'
  }
  yield '}\n'
}
