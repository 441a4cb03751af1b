// Programs for other processors: what the kernel hands them to (binfmt_misc), read when a foreign program is to run and at
// no other time. A handler counts only with the flag F, which opens the emulator when it is registered: without it the
// kernel would look for the emulator inside the container.
import { closeSync, openSync, readdirSync, readSync } from "node:fs"
import { join } from "node:path"
import { readIfExists } from "../lib/files.ts"
import { runsNatively } from "../oci/platform.ts"

export const BINFMT_MISC = "/proc/sys/fs/binfmt_misc"

type Machine = { readonly bits: 32 | 64; readonly bigEndian?: boolean; readonly machine: number; readonly qemu: string }

/** GOARCH → how its ELF files begin, and qemu's name of it. */
export const MACHINES: Readonly<Record<string, Machine>> = {
  "386": { bits: 32, machine: 3, qemu: "i386" },
  amd64: { bits: 64, machine: 62, qemu: "x86_64" },
  arm: { bits: 32, machine: 40, qemu: "arm" },
  arm64: { bits: 64, machine: 183, qemu: "aarch64" },
  loong64: { bits: 64, machine: 258, qemu: "loongarch64" },
  mips: { bits: 32, bigEndian: true, machine: 8, qemu: "mips" },
  mips64: { bits: 64, bigEndian: true, machine: 8, qemu: "mips64" },
  mips64le: { bits: 64, machine: 8, qemu: "mips64el" },
  mipsle: { bits: 32, machine: 8, qemu: "mipsel" },
  ppc64: { bits: 64, bigEndian: true, machine: 21, qemu: "ppc64" },
  ppc64le: { bits: 64, machine: 21, qemu: "ppc64le" },
  riscv64: { bits: 64, machine: 243, qemu: "riscv64" },
  s390x: { bits: 64, bigEndian: true, machine: 22, qemu: "s390x" },
}
const EXECUTABLE = 2

/** An entry of binfmt_misc. */
export type Handler = {
  readonly name: string
  readonly isEnabled: boolean
  readonly interpreter: string
  readonly flags: string
  readonly offset: number
  /** Empty where files are taken by the end of their name. */
  readonly magic: Buffer
  readonly mask: Buffer
  /** "jar" of "app.jar"; "" where they are taken by their bytes. */
  readonly extension: string
}

/** The first bytes of a program for the architecture, as far as handlers look at them. */
export function elfHead({ bits, bigEndian = false, machine }: Machine): Buffer {
  const head = Buffer.alloc(20)
  head.set([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, bigEndian ? 2 : 1, 1])
  if (bigEndian) head.writeUInt16BE(EXECUTABLE, 16)
  else head.writeUInt16LE(EXECUTABLE, 16)
  if (bigEndian) head.writeUInt16BE(machine, 18)
  else head.writeUInt16LE(machine, 18)
  return head
}

/** The registered handlers; undefined where binfmt_misc is not mounted. */
export function readHandlers(directory = BINFMT_MISC): readonly Handler[] | undefined {
  const status = readIfExists(join(directory, "status"))?.trim()
  if (status === undefined) return undefined
  const names = readdirSync(directory).filter((name) => name !== "status" && name !== "register")
  return names.flatMap((name) => {
    const text = readIfExists(join(directory, name))
    if (text === undefined) return []
    const handler = parseHandler(name, text)
    return { ...handler, isEnabled: handler.isEnabled && status === "enabled" }
  })
}

/** One file of binfmt_misc. */
export function parseHandler(name: string, text: string): Handler {
  const field = (key: string): string => new RegExp(`^${key}:? (.*)$`, "m").exec(text)?.[1]?.trim() ?? ""
  const magic = Buffer.from(field("magic"), "hex")
  const mask = Buffer.from(field("mask"), "hex")
  return {
    name,
    isEnabled: text.startsWith("enabled"),
    interpreter: field("interpreter"),
    flags: field("flags"),
    offset: Number(field("offset")) || 0,
    magic,
    mask: mask.length === magic.length ? mask : Buffer.alloc(magic.length, 0xff),
    extension: field("extension").replace(/^\./, ""),
  }
}

/** The handler that would get programs for the architecture, usable or not; a usable one before any other. */
export function handlerOf(handlers: readonly Handler[], architecture: string): Handler | undefined {
  const machine = MACHINES[architecture]
  if (machine === undefined) return undefined
  const found = handlers.filter((handler) => handler.magic.length > 0 && takes(handler, elfHead(machine), ""))
  return found.find(isUsable) ?? found[0]
}

function takes({ extension, offset, magic, mask }: Handler, head: Buffer, path: string): boolean {
  if (magic.length === 0) return extension !== "" && path.endsWith(`.${extension}`)
  if (offset + magic.length > head.length) return false
  return magic.every((byte, at) => ((head[offset + at]! ^ byte) & mask[at]!) === 0)
}

/** What the kernel would hand a file with this head to. */
export function handlerFor(head: Buffer, path: string): Handler | undefined {
  const found = (readHandlers() ?? []).filter((handler) => handler.isEnabled && takes(handler, head, path))
  return found.find(isUsable) ?? found[0]
}

export function isUsable({ isEnabled, flags }: Handler): boolean {
  return isEnabled && flags.includes("F")
}

/** Whether programs for `architecture` run on this host, by themselves or emulated. */
export function canRun(architecture: string, host: string): boolean {
  if (runsNatively(architecture, host)) return true
  const handler = handlerOf(readHandlers() ?? [], architecture)
  return handler !== undefined && isUsable(handler)
}

/** The registration that a package for systemd-binfmt brings, where there is one: ":name:M:offset:magic:mask:interpreter:flags". */
export function packagedRegistration(
  architecture: string,
  directories: readonly string[] = ["/etc/binfmt.d", "/run/binfmt.d", "/usr/lib/binfmt.d"],
): string | undefined {
  const qemu = MACHINES[architecture]?.qemu
  if (qemu === undefined) return undefined
  for (const directory of directories)
    for (const line of (readIfExists(join(directory, `qemu-${qemu}.conf`)) ?? "").split("\n"))
      if (/^:[\w-]+:M:\d*:[^:]+:[^:]*:\/[^:]+:[A-Z]*$/.test(line.trim())) return line.trim()
  return undefined
}

/** A registration for an emulator that no package registers, from how ELF files of the architecture begin. */
export function ownRegistration(architecture: string, interpreter: string): string | undefined {
  const machine = MACHINES[architecture]
  if (machine === undefined || interpreter.includes(":")) return undefined
  const escaped = (bytes: Uint8Array): string =>
    [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")
  const mask = Buffer.alloc(20, 0xff)
  // Any ABI, and both fixed and position-independent programs: types 2 and 3.
  mask[7] = 0
  mask[machine.bigEndian === true ? 17 : 16] = 0xfe
  return `:qemu-${machine.qemu}:M::${escaped(elfHead(machine))}:${escaped(mask)}:${interpreter}:F`
}

/** Whether an emulator can be opened once for all: it must need no libraries, which a container does not have. */
export function isStatic(path: string): boolean {
  try {
    const head = firstPage(path)
    if (head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46 || head[4] !== 2 || head[5] !== 1) return false
    const table = Number(head.readBigUInt64LE(32))
    const size = head.readUInt16LE(54)
    for (let at = table, n = head.readUInt16LE(56); n > 0 && at + 4 <= head.length; n--, at += size)
      if (head.readUInt32LE(at) === 3) return false
    return true
  } catch {
    return false
  }
}

function firstPage(path: string): Buffer {
  const fd = openSync(path, "r")
  try {
    const page = Buffer.alloc(4096)
    return page.subarray(0, readSync(fd, page, 0, page.length, 0))
  } finally {
    closeSync(fd)
  }
}
