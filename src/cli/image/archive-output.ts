// Archives to standard output or to a file, which appears under its name only when it is complete.
import { closeSync, openSync, renameSync, rmSync, statSync } from "node:fs"
import { DhowError, describeError } from "../../lib/errors.ts"
import { writeAll } from "../output.ts"
import { descriptorWriter } from "../terminal/descriptors.ts"

export async function writeArchive(body: AsyncIterable<Uint8Array>, path: string | undefined): Promise<void> {
  if (path !== undefined) return await writeFile(path, body)
  const write = descriptorWriter(1)
  for await (const chunk of body) await write(chunk)
}

async function writeFile(path: string, body: AsyncIterable<Uint8Array>): Promise<void> {
  // A device or pipe (-o /dev/stdout) is written to, not replaced.
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() ?? true
  const target = isFile ? `${path}.${process.pid}.partial` : path
  let fd: number
  try {
    fd = openSync(target, "w")
  } catch (cause) {
    throw new DhowError("invalid", `Cannot write the archive "${path}": ${describeError(cause)}`, { cause })
  }
  try {
    for await (const chunk of body) writeAll(fd, chunk)
    if (isFile) renameSync(target, path)
  } catch (error) {
    if (isFile) rmSync(target, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
}
