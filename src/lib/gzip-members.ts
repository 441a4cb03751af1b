// gzip as a row of members of one size (RFC 1952, 2.2): each is compressed by itself with libdeflate, which takes half the
// time of zlib for the same size, and needs the whole of what it compresses. Every reader of gzip takes members in a row.

import { openSync, readSync, writeSync } from "node:fs"
import { DhowError } from "./errors.ts"
import { helperEnvironment } from "./helper-environment.ts"

/** What one member holds of the plain bytes. Part of every recipe that names it: never changed. */
export const MEMBER_SIZE = 1 << 20

export type MemberLevel = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9

/** An empty input is one empty member. */
export function gzipMember(bytes: Uint8Array, level: MemberLevel): Uint8Array {
  return Bun.gzipSync(bytes as Uint8Array<ArrayBuffer>, { level, library: "libdeflate" })
}

/** `dhow internal gzip-members LEVEL PATH`: to standard output. Compressing keeps its thread busy, so not the daemon's. */
export function gzipMembersCommand([level = "", path = ""]: readonly string[]): number {
  const fd = openSync(path, "r")
  const buffer = Buffer.allocUnsafeSlow(MEMBER_SIZE)
  for (let first = true; ; first = false) {
    const length = fill(fd, buffer)
    if (length === 0 && !first) return 0
    const member = gzipMember(buffer.subarray(0, length), Number(level) as MemberLevel)
    for (let done = 0; done < member.length; ) done += writeSync(1, member, done)
    if (length < buffer.length) return 0
  }
}

function fill(fd: number, buffer: Buffer): number {
  let have = 0
  while (have < buffer.length) {
    const got = readSync(fd, buffer, have, buffer.length - have, null)
    if (got === 0) break
    have += got
  }
  return have
}

/** The bytes of the file as members, made in a process of its own: `command` runs an internal verb of this program. */
export async function* gzipMembers(
  path: string,
  options: {
    readonly level: MemberLevel
    readonly internalCommand: readonly string[]
    readonly signal?: AbortSignal
  },
): AsyncGenerator<Uint8Array> {
  const { level, internalCommand, signal } = options
  const command = [...internalCommand, "gzip-members", String(level), path]
  const child = Bun.spawn(command, { env: helperEnvironment(), stdin: "ignore", stdout: "pipe", stderr: "pipe" })
  const kill = (): void => child.kill("SIGKILL")
  signal?.addEventListener("abort", kill, { once: true })
  try {
    if (signal?.aborted === true) kill()
    for await (const chunk of child.stdout) yield chunk
    if ((await child.exited) === 0) return
    if (signal?.aborted === true)
      throw new DhowError("cancelled", "Compressing was cancelled", { cause: signal.reason })
    const complaint = (await new Response(child.stderr).text()).trim().slice(0, 1000)
    throw new DhowError("internal", `"${command.join(" ")}" ended with status ${child.exitCode ?? child.signalCode}`, {
      cause: new Error(complaint),
    })
  } finally {
    signal?.removeEventListener("abort", kill)
    kill()
  }
}
