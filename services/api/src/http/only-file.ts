import { AppError, isAppError, messageOf } from '@skipcast/runtime'
import type { FastifyRequest } from 'fastify'

/** The one file of a form, as it comes. */
export interface OnlyFile {
  readonly fileName: string
  /** Fails with BAD_REQUEST when the form breaks off, or has more in it than this file. */
  readonly bytes: AsyncIterable<Buffer>
}

/** Reads a form that has one field, with a file in it, and nothing else. Rejects with BAD_REQUEST or UNSUPPORTED_MEDIA_TYPE. */
export async function onlyFile(request: FastifyRequest, field: string, maxBytes: number): Promise<OnlyFile> {
  const parts = request.parts({ limits: { fileSize: maxBytes + 1 } })
  const nextPart = async () => {
    const { done, value } = await parts.next().catch(refuseForm)
    return done ? null : value
  }
  const refuseOthers = (name: string): never => {
    throw new AppError('BAD_REQUEST', `The form has one file, in the field ${field}, and nothing else; here is also: ${name}`)
  }

  const file = await nextPart()
  if (!file) throw new AppError('BAD_REQUEST', `${field}: is missing`)
  if (file.type !== 'file' || file.fieldname !== field) return refuseOthers(file.fieldname)
  return {
    fileName: file.filename,
    bytes: (async function* () {
      try {
        yield* file.file as AsyncIterable<Buffer>
      } catch (error) {
        refuseForm(error)
      }
      const other = await nextPart()
      if (other) refuseOthers(other.fieldname)
    })(),
  }
}

/** What the reader of forms throws, and neither Fastify nor the disk: no boundary, broken headers, an early end. */
function refuseForm(error: unknown): never {
  const { statusCode, errno } = error as { statusCode?: number; errno?: number }
  if (isAppError(error) || statusCode !== undefined || errno !== undefined) throw error
  throw new AppError('BAD_REQUEST', `The form can not be read: ${messageOf(error)}`, { cause: error })
}
