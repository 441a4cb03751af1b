// Which proxy leads to a host: HTTP_PROXY, HTTPS_PROXY and NO_PROXY, read as Go programs do. Loopback is always direct.
import { inBlock } from "./address-blocks.ts"
import { isLoopback } from "./endpoints.ts"

type Environment = Readonly<Record<string, string | undefined>>

export function proxyFor(url: URL, environment: Environment): string | undefined {
  const value = (name: string): string | undefined => environment[name] || environment[name.toLowerCase()] || undefined
  const proxy = url.protocol === "https:" ? value("HTTPS_PROXY") : value("HTTP_PROXY")
  if (proxy === undefined || isLoopback(url.host)) return undefined
  if ((value("NO_PROXY") ?? "").split(",").some((entry) => matches(entry.trim().toLowerCase(), url))) return undefined
  return proxy.includes("://") ? proxy : `http://${proxy}`
}

/** "*", "example.com" and what lies below it, ".example.com" only what lies below, an address, or a CIDR block. */
function matches(entry: string, url: URL): boolean {
  if (entry === "") return false
  if (entry === "*") return true
  const host = url.hostname.replace(/^\[|\]$/g, "")
  if (entry.includes("/")) return inBlock(entry, host)
  const [, name = entry, port] = /^(.*?):(\d+)$/.exec(entry) ?? []
  const ownPort = url.port || (url.protocol === "https:" ? "443" : "80")
  if (port !== undefined && !name.includes(":") && port !== ownPort) return false
  const wanted = port !== undefined && !name.includes(":") ? name : entry
  const bare = wanted.replace(/^\*/, "")
  return bare.startsWith(".") ? host.endsWith(bare) : host === bare || host.endsWith(`.${bare}`)
}

const VARIABLES = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"]

/**
 * Calls fetch directly. Bun's own reading of the environment knows neither address blocks nor loopback and cannot be
 * told to stay direct; it reads while fetch is called, so for that moment there is nothing to read.
 */
export function withoutProxy<T>(call: () => T): T {
  const kept = VARIABLES.map((name) => [name, process.env[name]] as const).filter(([, value]) => value !== undefined)
  if (kept.length === 0) return call()
  for (const [name] of kept) delete process.env[name]
  try {
    return call()
  } finally {
    for (const [name, value] of kept) process.env[name] = value
  }
}
