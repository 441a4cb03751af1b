// The words of mount(8)'s option `o` as the kernel takes them: flags, the propagation that a second call sets, and what is
// left as data for the file system. Pure.
import { MS } from "../lib/syscalls/mount.ts"

export type MountWords = { readonly flags: number; readonly propagation: number; readonly data: string }

type Word = { readonly clear?: true; readonly flag: number }

const set = (flag: number): Word => ({ flag })
const clear = (flag: number): Word => ({ clear: true, flag })

const SYNCHRONOUS = 16
const MANDLOCK = 64
const DIRSYNC = 128
const NOATIME = 1024
const NODIRATIME = 2048
const RELATIME = 1 << 21
const STRICTATIME = 1 << 24

const WORDS: ReadonlyMap<string, Word> = new Map([
  ["defaults", set(0)],
  ["ro", set(MS.RDONLY)],
  ["rw", clear(MS.RDONLY)],
  ["suid", clear(MS.NOSUID)],
  ["nosuid", set(MS.NOSUID)],
  ["dev", clear(MS.NODEV)],
  ["nodev", set(MS.NODEV)],
  ["exec", clear(MS.NOEXEC)],
  ["noexec", set(MS.NOEXEC)],
  ["sync", set(SYNCHRONOUS)],
  ["async", clear(SYNCHRONOUS)],
  ["dirsync", set(DIRSYNC)],
  ["remount", set(MS.REMOUNT)],
  ["mand", set(MANDLOCK)],
  ["nomand", clear(MANDLOCK)],
  ["atime", clear(NOATIME)],
  ["noatime", set(NOATIME)],
  ["diratime", clear(NODIRATIME)],
  ["nodiratime", set(NODIRATIME)],
  ["bind", set(MS.BIND)],
  ["rbind", set(MS.BIND | MS.REC)],
  ["relatime", set(RELATIME)],
  ["norelatime", clear(RELATIME)],
  ["strictatime", set(STRICTATIME)],
  ["nostrictatime", clear(STRICTATIME)],
])

const PROPAGATIONS: ReadonlyMap<string, number> = new Map([
  ["private", MS.PRIVATE],
  ["rprivate", MS.PRIVATE | MS.REC],
  ["shared", MS.SHARED],
  ["rshared", MS.SHARED | MS.REC],
  ["slave", MS.SLAVE],
  ["rslave", MS.SLAVE | MS.REC],
  ["unbindable", MS.UNBINDABLE],
  ["runbindable", MS.UNBINDABLE | MS.REC],
])

export function parseMountWords(text: string): MountWords {
  let flags = 0
  let propagation = 0
  const data: string[] = []
  for (const word of text.split(",")) {
    const found = WORDS.get(word)
    const passes = PROPAGATIONS.get(word)
    if (found !== undefined) flags = found.clear ? flags & ~found.flag : flags | found.flag
    else if (passes !== undefined) propagation |= passes
    else if (word !== "") data.push(word)
  }
  return { flags, propagation, data: data.join(",") }
}

/** The value of one word of the data: "addr=10.0.0.1". */
export function wordValue(text: string, name: string): string | undefined {
  return text
    .split(",")
    .find((word) => word.startsWith(`${name}=`))
    ?.slice(name.length + 1)
}
