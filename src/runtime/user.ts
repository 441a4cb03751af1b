// Who a container's process is: `User` and `GroupAdd` looked up in the container's own /etc/passwd and /etc/group.
// Both files were written by somebody else: they are opened inside the root only, and read up to a bound.
import { closeSync, constants, fstatSync, readSync } from "node:fs"
import { DhowError } from "../lib/errors.ts"
import { openInRoot } from "../lib/syscalls/open-in-root.ts"
import type { ResolvedUser } from "./spec-input.ts"

const FILE_LIMIT = 4 * 1024 * 1024
const HIGHEST_ID = 2 ** 31 - 1

type PasswdEntry = { readonly name: string; readonly uid: number; readonly gid: number; readonly home: string }
type GroupEntry = { readonly name: string; readonly gid: number; readonly members: readonly string[] }

/** `user` is "", "name", "uid", "name:group", "uid:gid" and so on; throws Docker's errors for a name that is not there. */
export function resolveUser(rootfs: string, user: string, groupAdd: readonly string[] = []): ResolvedUser {
  const passwd = readEtc(rootfs, "/etc/passwd")
  let group: string | undefined
  return lookUpUser({ user, groupAdd }, passwd, () => {
    group ??= readEtc(rootfs, "/etc/group")
    return group
  })
}

/** The pure part. The group file is only asked for when it matters. */
export function lookUpUser(
  asked: { readonly user: string; readonly groupAdd: readonly string[] },
  passwd: string,
  groupFile: () => string,
): ResolvedUser {
  const [userPart = "", groupPart = ""] = asked.user.split(":")
  const wantedUid = /^[+-]?\d+$/.test(userPart) ? Number(userPart) : undefined
  const entry = findLine(passwd, parsePasswdLine, (line) =>
    userPart === "" ? line.uid === 0 : wantedUid === undefined ? line.name === userPart : line.uid === wantedUid,
  )
  let uid = entry?.uid ?? 0
  let gid = entry?.gid ?? 0
  if (entry === undefined && userPart !== "") {
    if (wantedUid === undefined)
      throw new DhowError("invalid", `unable to find user ${userPart}: no matching entries in passwd file`)
    uid = checkRange(wantedUid)
  }
  const supplementary: number[] = []
  if (groupPart !== "") gid = findGroup(groupPart, groupFile())
  else if (entry !== undefined)
    eachLine(groupFile(), (line) => {
      const found = parseGroupLine(line)
      if (found?.members.includes(entry.name)) supplementary.push(found.gid)
    })
  for (const name of asked.groupAdd) supplementary.push(findAdditionalGroup(name, groupFile()))
  return { uid, gid, additionalGids: [...new Set([gid, ...supplementary])], home: entry?.home || "/" }
}

function findGroup(text: string, file: string): number {
  const wanted = /^[+-]?\d+$/.test(text) ? Number(text) : undefined
  if (wanted !== undefined) return checkRange(wanted)
  const found = findLine(file, parseGroupLine, (line) => line.name === text)
  if (found === undefined)
    throw new DhowError("invalid", `unable to find group ${text}: no matching entries in group file`)
  return found.gid
}

function findAdditionalGroup(text: string, file: string): number {
  const found = findLine(file, parseGroupLine, (line) => line.name === text)
  if (found !== undefined) return found.gid
  if (!/^[+-]?\d+$/.test(text))
    throw new DhowError("invalid", `Unable to find group ${text}: no matching entries in group file`)
  return checkRange(Number(text))
}

function checkRange(id: number): number {
  if (id < 0 || id > HIGHEST_ID) throw new DhowError("invalid", `uids and gids must be in range 0-${HIGHEST_ID}`)
  return id
}

function parsePasswdLine(line: string): PasswdEntry | undefined {
  const [name = "", , uid = "", gid = "", , home = ""] = line.split(":")
  if (!/^\d{1,10}$/.test(uid)) return undefined
  return { name, uid: Number(uid), gid: /^\d{1,10}$/.test(gid) ? Number(gid) : 0, home }
}

function parseGroupLine(line: string): GroupEntry | undefined {
  const [name = "", , gid = "", members = ""] = line.split(":")
  if (!/^\d{1,10}$/.test(gid)) return undefined
  return { name, gid: Number(gid), members: members === "" ? [] : members.split(",").map((member) => member.trim()) }
}

function findLine<T>(
  text: string,
  parse: (line: string) => T | undefined,
  wanted: (entry: T) => boolean,
): T | undefined {
  let found: T | undefined
  eachLine(text, (line) => {
    const entry = parse(line)
    if (entry === undefined || !wanted(entry)) return true
    found = entry
    return false
  })
  return found
}

/** Lines without surrounding space, but for empty ones and comments; stops when `take` answers false. */
function eachLine(text: string, take: (line: string) => unknown): void {
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf("\n", start)
    const end = newline < 0 ? text.length : newline
    const line = text.slice(start, end).trim()
    start = end + 1
    if (line === "" || line.startsWith("#")) continue
    if (take(line) === false) return
  }
}

/** A file that is missing, or is no regular file, counts as empty, as with Docker. */
function readEtc(rootfs: string, path: string): string {
  let fd: number
  try {
    // O_NONBLOCK: a fifo planted there must not hold the engine up.
    fd = openInRoot(rootfs, path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    return ""
  }
  try {
    const stats = fstatSync(fd)
    if (!stats.isFile()) return ""
    if (stats.size > FILE_LIMIT)
      throw new DhowError("invalid", `Cannot read "${path}" of the container: it is larger than ${FILE_LIMIT} bytes`)
    const bytes = Buffer.allocUnsafe(stats.size)
    let length = 0
    while (length < bytes.length) {
      const read = readSync(fd, bytes, length, bytes.length - length, length)
      if (read === 0) break
      length += read
    }
    return bytes.toString("utf8", 0, length)
  } finally {
    closeSync(fd)
  }
}
