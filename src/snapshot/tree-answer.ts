// How a process that reads trees or layers for the daemon says that it failed: one line of JSON on standard error.
import { writeSync } from "node:fs"
import { DhowError, describeError, type ErrorKind } from "../lib/errors.ts"

type Failure = { readonly error: { readonly kind: ErrorKind; readonly message: string } }

/** Returns the exit status. */
export function reportFailure(error: unknown): number {
  const kind = error instanceof DhowError ? error.kind : "internal"
  const failure: Failure = { error: { kind, message: describeError(error) } }
  writeSync(2, `${JSON.stringify(failure)}\n`)
  return 1
}

/** The error that such a process has reported; a process that was killed has said nothing, or something else. */
export function readFailure(complaint: string, command: readonly string[], status: number | string | null): DhowError {
  try {
    const { error } = JSON.parse(complaint.trim().split("\n").at(-1) ?? "") as Failure
    return new DhowError(error.kind, error.message)
  } catch {
    return new DhowError("internal", `"${command.join(" ")}" ended with status ${status}`, {
      cause: new Error(complaint.trim()),
    })
  }
}
