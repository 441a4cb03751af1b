// What a process that makes a layer says to its parent: one line of JSON.
import { writeSync } from "node:fs"
import { constants } from "node:os"
import { DhowError, describeError, type ErrorKind } from "../lib/errors.ts"
import { check, libc } from "../lib/syscalls/libc.ts"
import type { MadeLayer } from "./layer-form.ts"

const PR_SET_PDEATHSIG = 1

export type LayerAnswer =
  | { readonly layer: MadeLayer }
  | { readonly error: { readonly kind: ErrorKind; readonly message: string } }

export function answer(value: LayerAnswer): void {
  writeSync(1, `${JSON.stringify(value)}\n`)
}

/** Returns the exit status. */
export function answerError(error: unknown): number {
  const kind = error instanceof DhowError ? error.kind : "internal"
  answer({ error: { kind, message: describeError(error) } })
  return 1
}

/** A daemon that is killed leaves no one writing into what its successor sweeps. */
export function diesWithParent(dies: boolean): void {
  check(libc().prctl(PR_SET_PDEATHSIG, dies ? BigInt(constants.signals.SIGKILL) : 0n, 0n, 0n, 0n), "prctl")
}
