// The addresses that the registry is served on, and how: checked when they are given, kept for the next start.
import { isIP } from "node:net"
import { DhowError } from "../../lib/errors.ts"
import { parseReference } from "../../oci/reference.ts"
import type { Database } from "../../state/database.ts"
import type { RegistryListener } from "../../wire/registry-server.ts"
import { parseRepositoryName } from "./names.ts"

export type Address = { readonly hostname: string; readonly port: number }

export type ListenerRows = ReturnType<typeof listenerRows>

export function listenerRows(database: Database) {
  const select = database.query<{ settings: string }>("SELECT settings FROM registry_listeners ORDER BY address")
  const insert = database.query<never, { address: string; settings: string }>(
    "INSERT OR REPLACE INTO registry_listeners VALUES ($address, $settings)",
  )
  const remove = database.query<never, { address: string }>("DELETE FROM registry_listeners WHERE address = $address")
  return {
    all: () => select.all().map(({ settings }) => JSON.parse(settings) as RegistryListener),
    put: (listener: RegistryListener): void => {
      insert.run({ address: listener.address, settings: JSON.stringify(listener) })
    },
    remove: (address: string): boolean => remove.run({ address }).changes > 0,
  }
}

/** "127.0.0.1:5000", "[::1]:5000", "localhost:5000", or ":5000" for every address. */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/]*)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  const hostname = match?.[1] ?? match?.[2] ?? ""
  const isHost = hostname === "" || isIP(hostname) !== 0 || /^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/.test(hostname)
  if (match === null || port > 65535 || !isHost)
    throw new DhowError("invalid", `Cannot listen on "${text}": expected HOST:PORT`, {
      hint: "For instance 127.0.0.1:5000",
    })
  return { hostname: hostname === "" ? "0.0.0.0" : hostname, port }
}

export function formatAddress({ hostname, port }: Address): string {
  return isIP(hostname) === 6 ? `[${hostname}]:${port}` : `${hostname}:${port}`
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || (isIP(hostname) === 4 && hostname.startsWith("127."))
}

/** Throws what makes no sense together, or would show this machine's images to a network by accident. */
export function checkListener(listener: RegistryListener): void {
  const { address, tls, htpasswd, anonymousPull, insecure, proxies = [] } = listener
  const { hostname } = parseAddress(address)
  const missing = [tls === undefined ? "TLS" : "", htpasswd === undefined ? "passwords" : ""].filter(Boolean)
  if (!isLoopback(hostname) && insecure !== true && missing.length > 0)
    throw new DhowError(
      "invalid",
      `Cannot serve the registry on "${address}" without ${missing.join(" and ")}: others reach it than this machine`,
      { hint: "Give --tls-cert, --tls-key and --htpasswd, or say --insecure" },
    )
  if (anonymousPull === true && htpasswd === undefined)
    throw new DhowError("invalid", "Without passwords everybody may pull: --anonymous-pull needs --htpasswd")
  const prefixes = new Set<string>()
  for (const { prefix, upstream } of proxies) {
    if (prefixes.has(prefix)) throw new DhowError("invalid", `Two proxies have the prefix "${prefix}"`)
    prefixes.add(prefix)
    if (prefix !== "") parseRepositoryName(prefix)
    // Without a dot or port it would be a name on docker.io, which nobody means here.
    if (!/^(?:localhost|[^/]*[.:][^/]*)(?:\/|$)/.test(upstream))
      throw new DhowError("invalid", `"${upstream}" names no registry to fetch from`, {
        hint: "For instance docker.io, or quay.io/team",
      })
    parseReference(`${upstream}/x`)
  }
}
