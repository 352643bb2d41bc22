import { AppError } from '@skipcast/runtime'

/** The media store is full: for the caller a matter of waiting, for an operator one of making room. */
export function noSpace(cause: unknown): AppError {
  return new AppError('NO_SPACE', 'There is no space left for media. Nothing was kept; ask an operator to make room.', { cause })
}

/** The same for whatever a call to the file system threw, if that is why. */
export function orNoSpace(error: unknown): never {
  throw isNoSpace(error) ? noSpace(error) : error
}

export function isNoSpace(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT'
}
