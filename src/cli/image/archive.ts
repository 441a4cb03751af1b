// Archives from files or standard input, as streams of bytes.
import { createReadStream, statSync } from "node:fs"
import { DhowError } from "../../lib/errors.ts"
import { isTerminal } from "../../lib/syscalls/terminal.ts"
import { readDescriptor } from "../terminal/descriptors.ts"

const CHUNK = 1 << 20

export function openArchive(path: string): AsyncIterable<Uint8Array> {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) throw new DhowError("not-found", `open ${path}: no such file or directory`)
  if (found.isDirectory()) throw new DhowError("invalid", `Archive "${path}" is a directory`)
  return createReadStream(path, { highWaterMark: CHUNK })
}

export function archiveFromInput(): AsyncIterable<Uint8Array> {
  if (isTerminal(0))
    throw new DhowError("invalid", "The archive is to come from standard input, which is a terminal", {
      hint: "Name a file with -i, or redirect: dhow load < images.tar",
    })
  return readDescriptor(0)
}
