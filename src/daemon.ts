// The daemon's composition root.
import { DhowError } from "./lib/errors.ts"

export async function runDaemon(_argv: readonly string[]): Promise<number> {
  throw new DhowError("not-implemented", "The daemon is not part of this program yet")
}
