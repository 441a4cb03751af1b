// Parsers that do not know where bytes come from: a generator yields how many bytes it wants and is sent that many, or
// fewer where the archive ends. One parser so serves the asynchronous stream and the synchronous file.
import { DhowError } from "../errors.ts"

export type Pull<T> = Generator<number, T, Uint8Array>

/** Exactly `length` bytes; they are valid until the next pull. */
export function* exactly(length: number, path: string | undefined): Pull<Uint8Array> {
  const bytes = yield length
  if (bytes.length < length) throw truncated(path)
  return bytes
}

export function truncated(path: string | undefined): DhowError {
  return new DhowError("invalid", `Tar archive is cut off ${path === undefined ? "in a header" : `in "${path}"`}`)
}
