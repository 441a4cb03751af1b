// Addresses of log receivers, "tcp://host:port" or "unix:///path", each driver's own rules with Docker's words.
import { existsSync } from "node:fs"
import { invalid } from "./values.ts"

export type SocketAddress = {
  readonly scheme: string
  readonly host: string
  readonly port: number
  readonly path: string
}

type Url = {
  readonly scheme: string
  /** With the port, if there is one. */
  readonly host: string
  readonly path: string
}

/** As Go's url.Parse takes an address apart: the scheme in small letters, nothing decoded but the path. */
function parseUrl(address: string): Url {
  const [, scheme, rest = ""] = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s.exec(address) ?? []
  if (scheme === undefined) {
    if (address.startsWith(":")) throw invalid(`parse ${JSON.stringify(address)}: missing protocol scheme`)
    return { scheme: "", host: "", path: address }
  }
  if (!rest.startsWith("//")) return { scheme: scheme.toLowerCase(), host: "", path: "" }
  const [, authority = "", path = ""] = /^\/\/([^/?#]*)([^?#]*)/.exec(rest) ?? []
  const host = authority.slice(authority.lastIndexOf("@") + 1)
  const port = /:([^:\]]*)$/.exec(host)?.[1]
  if (port !== undefined && !/^\d*$/.test(port))
    throw invalid(`parse ${JSON.stringify(address)}: invalid port ${JSON.stringify(`:${port}`)} after host`)
  return { scheme: scheme.toLowerCase(), host, path: decodeURIComponent(path) }
}

/** undefined where the host has no port. */
function splitHostPort(host: string): { readonly host: string; readonly port: number } | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*)):(\d*)$/.exec(host) ?? []
  if (port === undefined) {
    if (!host.startsWith("[") && host.split(":").length > 2)
      throw invalid(`address ${host}: too many colons in address`)
    return undefined
  }
  const number = Number(port)
  if (number > 65_535) throw invalid(`address ${number}: invalid port`)
  return { host: bracketed ?? plain ?? "", port: number }
}

const SYSLOG_PORT = 514

/** undefined for the host's own /dev/log. */
export function parseSyslogAddress(address: string): SocketAddress | undefined {
  if (address === "") return undefined
  const url = parseUrl(address)
  const { scheme, path } = url
  if (scheme === "unix" || scheme === "unixgram") {
    if (!existsSync(path)) throw invalid(`stat ${path}: no such file or directory`)
    return { scheme, host: "", port: 0, path }
  }
  if (scheme !== "udp" && scheme !== "tcp" && scheme !== "tcp+tls") throw invalid(`unsupported scheme: '${scheme}'`)
  const { host, port } = splitHostPort(url.host) ?? { host: url.host.replace(/^\[|\]$/g, ""), port: SYSLOG_PORT }
  return { scheme, host, port, path: "" }
}

export function parseGelfAddress(address: string): SocketAddress {
  if (address === "") throw invalid("gelf-address is a required parameter")
  const { scheme, host } = parseUrl(address)
  if (scheme !== "udp" && scheme !== "tcp") throw invalid("gelf: endpoint needs to be TCP or UDP")
  const place = splitHostPort(host)
  if (place === undefined) throw invalid("gelf: please provide gelf-address as proto://host:port")
  return { scheme, ...place, path: "" }
}

export function parseFluentdAddress(address: string): SocketAddress {
  const fail = (why: string) => invalid(`invalid fluentd-address (${address}): ${why}`)
  if (address === "") return { scheme: "tcp", host: "127.0.0.1", port: 24_224, path: "" }
  const { scheme, host, path } = parseUrl(address.includes("://") ? address : `tcp://${address}`)
  if (scheme === "unix") {
    if (path.replace(/^\/+/, "") === "") throw fail("path is empty")
    return { scheme, host: "", port: 0, path }
  }
  if (scheme !== "tcp" && scheme !== "tls") throw fail(`unsupported scheme: '${scheme}'`)
  if (path !== "") throw fail("should not contain a path element")
  const port = /:(\d+)$/.exec(host)?.[1]
  if (port !== undefined && Number(port) > 65_535)
    throw fail(`invalid port: strconv.ParseUint: parsing ${JSON.stringify(port)}: value out of range`)
  const name = host.replace(/:\d*$/, "").replace(/^\[|\]$/g, "")
  return { scheme, host: name || "127.0.0.1", port: port === undefined ? 24_224 : Number(port), path: "" }
}
