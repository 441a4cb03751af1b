// Checks of single flag values that need no context; each returns the value as the engine takes it.
import { isIP } from "node:net"
import { DhowError } from "../../lib/errors.ts"
import { cut } from "../flags/csv.ts"

export function checkStream(text: string): string {
  const stream = text.toLowerCase()
  if (!["stdin", "stdout", "stderr"].includes(stream)) throw new Error("valid streams are STDIN, STDOUT and STDERR")
  return stream
}

export function checkIp(text: string): string {
  const address = text.trim()
  if (isIP(address) === 0) throw new Error(`IP address is not correctly formatted: ${text}`)
  return address
}

export function checkDnsSearch(text: string): string {
  const domain = text.trim()
  if (domain === ".") return domain
  const label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
  const match = new RegExp(`^(${label}(?:\\.${label})*)\\.?$`).exec(domain)
  if (match === null || !/[a-zA-Z]/.test(domain) || match[1]!.length >= 255)
    throw new Error(`${text} is not a valid domain`)
  return match[1]!
}

/** "host:address" or "host=address", the address perhaps in brackets; the engine takes only the first form. */
export function checkExtraHost(text: string): string {
  let [host, address] = cut(text, "=")
  if (address === undefined) [host, address] = cut(text, ":")
  if (address === undefined || host === "" || host.includes(":"))
    throw new Error(`bad format for add-host: ${JSON.stringify(text)}`)
  if (address === "host-gateway") return `${host}:${address}`
  if (/^\[.+\]$/.test(address)) address = address.slice(1, -1)
  if (isIP(address.trim()) === 0) throw new Error(`invalid IP address in add-host: ${JSON.stringify(address)}`)
  return `${host}:${address}`
}

export function checkLink(text: string): string {
  if (text === "") throw new Error("empty string specified for links")
  if (text.split(":").length > 2) throw new Error(`bad format for links: ${text}`)
  return text
}

const SYSCTLS = new Set(
  ["msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced"].map(
    (name) => `kernel.${name}`,
  ),
)

/** Only parameters that belong to a namespace of the container. */
export function checkSysctl(text: string): string {
  const [name, value] = cut(text, "=")
  const isKnown = SYSCTLS.has(name) || name.startsWith("net.") || name.startsWith("fs.mqueue.")
  if (value === undefined || !isKnown) throw new Error(`sysctl '${text}' is not allowed`)
  return text
}

export function checkUint16(text: string): string {
  if (!/^\d+$/.test(text)) throw new Error(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`)
  if (Number(text) > 65535) throw new Error(`strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`)
  return text
}

export function checkPull(text: string | undefined): "always" | "missing" | "never" {
  switch (text) {
    case undefined:
    case "":
    case "missing":
      return "missing"
    case "always":
    case "never":
      return text
    default:
      throw new DhowError("invalid", `invalid pull option: '${text}': must be one of "always", "missing" or "never"`, {
        exitCode: 125,
      })
  }
}

export function checkSystemd(text: string): string {
  if (text === "auto" || text === "always" || text === "never") return text
  throw new Error(`invalid value "${text}": expected auto, always or never`)
}
