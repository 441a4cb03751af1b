// How an error reaches the user: one line, then what can be done on a line of its own.
import { DhowError } from "../lib/errors.ts"
import { printError } from "./output.ts"

export function printFailure(error: unknown): void {
  printError(`dhow: ${messageOf(error)}`)
  const hint = error instanceof DhowError ? error.hint : undefined
  if (hint !== undefined) printError(hint)
}

export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.message.replace(/\s*\n\s*/g, " ")
}

export function exitStatusOf(error: unknown): number {
  return (error instanceof DhowError ? error.exitCode : undefined) ?? 1
}
