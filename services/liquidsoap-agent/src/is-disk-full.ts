/** Whether something could not be written because there is no room left, or none for us. */
export function isDiskFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'NO_SPACE'
}
