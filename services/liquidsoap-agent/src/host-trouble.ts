import { AppError } from '@skipcast/runtime'

/** True for a failure to reach the machine itself, whatever was asked of it: nothing is known then of what runs there. */
export function isHostTrouble(error: unknown): error is AppError {
  return error instanceof AppError && error.code.startsWith('HOST_')
}
