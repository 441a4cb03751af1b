// Mounts what a volume's options name, as mount(2) takes it. A network file system is told its server's address: the
// kernel looks up no names.
import { lookup } from "node:dns/promises"
import { isIP, isIPv4 } from "node:net"
import { getSystemErrorMessage } from "node:util"
import { DhowError } from "../lib/errors.ts"
import { MS, mount } from "../lib/syscalls/mount.ts"
import { parseMountWords, wordValue } from "./mount-flags.ts"

type DeviceMount = {
  readonly device: string
  readonly type: string
  readonly words: string
  readonly target: string
}

export async function mountDevice(wanted: DeviceMount): Promise<void> {
  const { device, words, target, type } = await withAddress(wanted)
  const { flags, propagation, data } = parseMountWords(words)
  try {
    mount(device, target, { type, flags, data })
    if (propagation !== 0) mount("", target, { flags: propagation })
    // A bind takes no other flag at first.
    if ((flags & MS.BIND) !== 0 && (flags & MS.RDONLY) !== 0) mount("", target, { flags: flags | MS.REMOUNT })
  } catch (error) {
    throw failure({ device, words: data, target, type }, flags, error)
  }
}

/** The text is Docker's, a password in it covered. */
function failure({ device, target, type, words }: DeviceMount, flags: number, error: unknown): DhowError {
  const { code, errno } = error as NodeJS.ErrnoException
  const why = errno === undefined ? String(error) : getSystemErrorMessage(errno)
  const shown = words.replace(/password=[^,]*/g, "password=********")
  const data = shown === "" ? "" : `, data: ${shown}`
  const text = `failed to mount local volume: mount ${device}:${target}, flags: 0x${flags.toString(16)}${data}: ${why}`
  const hint =
    code === "ENODEV"
      ? `The kernel of this host has no file system "${type}"`
      : code === "ENOENT"
        ? `"${device}" has to be there before the volume is used`
        : undefined
  return new DhowError("internal", text, hint === undefined ? {} : { hint })
}

async function withAddress(wanted: DeviceMount): Promise<DeviceMount> {
  const { device, type, words } = wanted
  if (type === "cifs") {
    const host = /^\/\/([^/]+)/.exec(device)?.[1]
    const given = wordValue(words, "addr")
    if (given !== undefined && !isIPv4(given)) return { ...wanted, words: replaced(words, given, await resolve(given)) }
    if (given !== undefined || host === undefined || isIP(host) !== 0) return wanted
    return { ...wanted, device: device.replace(host, await resolve(host)) }
  }
  if (type !== "nfs" && type !== "nfs4") return wanted
  const given = wordValue(words, "addr")
  if (given !== undefined)
    return isIP(given) !== 0 ? wanted : { ...wanted, words: replaced(words, given, await resolve(given)) }
  // "server:/path" says it too; Docker asks for both.
  const server = /^\[?([^/\]]+)\]?:\//.exec(device)?.[1]
  if (server === undefined) return wanted
  const address = isIP(server) !== 0 ? server : await resolve(server)
  return { ...wanted, words: words === "" ? `addr=${address}` : `${words},addr=${address}` }
}

function replaced(words: string, name: string, address: string): string {
  return words.replace(`addr=${name}`, `addr=${address}`)
}

async function resolve(name: string): Promise<string> {
  try {
    return (await lookup(name)).address
  } catch (cause) {
    throw new DhowError(
      "internal",
      `failed to mount local volume: error resolving passed in network volume address: ${name}`,
      { cause },
    )
  }
}
