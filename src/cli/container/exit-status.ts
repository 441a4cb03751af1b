// Docker's exit statuses for what the engine says: 127 command not found, 126 cannot be executed, 125 anything else.
import { DhowError } from "../../lib/errors.ts"

export function startStatus(message: string): 125 | 126 | 127 {
  if (/executable file not found|no such file or directory|system cannot find the file specified/i.test(message))
    return 127
  if (/permission denied|is a directory|exec format error/i.test(message)) return 126
  return 125
}

/** The same error with the status that `run` ends with. */
export function withStartStatus(error: unknown): DhowError {
  if (error instanceof DhowError)
    return new DhowError(error.kind, error.message, {
      cause: error.cause,
      exitCode: error.exitCode ?? startStatus(error.message),
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    })
  const message = error instanceof Error ? error.message : String(error)
  return new DhowError("internal", message, { cause: error, exitCode: 125 })
}
