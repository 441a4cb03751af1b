// The part of the configuration that says how registries are reached: the key `registries`, and dockerd's two keys and
// flags, which say the same of hosts and of docker.io.
import { isIP } from "node:net"
import * as v from "valibot"
import type { RegistriesConfig } from "../config.ts"
import { DhowError } from "../lib/errors.ts"

const text = v.exactOptional(v.string())
const flag = v.exactOptional(v.boolean())

export const registryShapes = {
  registries: v.strictObject({
    default: text,
    prefixes: v.exactOptional(
      v.record(
        v.string(),
        v.strictObject({ rewrite: text, mirrors: v.exactOptional(v.array(v.string())), blocked: flag }),
      ),
    ),
    hosts: v.exactOptional(
      v.record(v.string(), v.strictObject({ insecure: flag, ca: text, cert: text, key: text, auth: text })),
    ),
  }),
}

type File = {
  readonly registries?: RegistriesConfig | undefined
  readonly "insecure-registries"?: readonly string[] | undefined
  readonly "registry-mirrors"?: readonly string[] | undefined
}

export function registriesOf(file: File): RegistriesConfig {
  const { default: standard, prefixes = {}, hosts = {} } = file.registries ?? {}
  for (const name of [standard ?? [], Object.keys(hosts)].flat()) checkHost(name)
  for (const [prefix, { mirrors = [], rewrite = prefix }] of Object.entries(prefixes))
    for (const name of [prefix, rewrite, ...mirrors]) checkPlace(name)
  const entries = (file["insecure-registries"] ?? []).map(insecureEntry)
  const mirrors = (file["registry-mirrors"] ?? []).map(mirrorOf)
  const inPlain = mirrors.flatMap(({ place, isPlain }) => (isPlain ? [place.split("/", 1)[0]!] : []))
  const insecure = [...entries.flatMap(({ host }) => host ?? []), ...inPlain]
  const blocks = entries.flatMap(({ block }) => block ?? [])
  return {
    ...(standard === undefined ? {} : { default: standard }),
    prefixes: {
      ...(mirrors.length === 0 ? {} : { "docker.io": { mirrors: mirrors.map(({ place }) => place) } }),
      ...prefixes,
    },
    hosts: { ...Object.fromEntries(insecure.map((host) => [host, { insecure: true }])), ...hosts },
    ...(blocks.length === 0 ? {} : { insecureBlocks: blocks }),
  }
}

/** A host, or a block of addresses: "10.0.0.0/8". A scheme before it says nothing, and dockerd takes it off too. */
function insecureEntry(entry: string): { readonly host?: string; readonly block?: string } {
  const place = entry.replace(/^https?:\/\//, "").replace(/\/$/, "")
  const [network = "", bits] = place.split("/")
  const family = isIP(network)
  if (bits === undefined) {
    checkHost(place)
    return { host: place }
  }
  if (family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)) return { block: place }
  throw new DhowError("invalid", `insecure registry "${entry}" is neither a host nor a block of addresses`)
}

function mirrorOf(mirror: string): { readonly place: string; readonly isPlain: boolean } {
  const place = mirror.replace(/^https?:\/\//, "").replace(/\/+$/, "")
  checkPlace(place)
  return { place, isPlain: mirror.startsWith("http://") }
}

function checkHost(name: string): void {
  if (!/^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?$/.test(name))
    throw new DhowError("invalid", `registry "${name}" is not a host, or a host with a port`)
}

function checkPlace(name: string): void {
  const [host = "", ...path] = name.split("/")
  checkHost(host)
  if (path.every((part) => /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/.test(part))) return
  throw new DhowError("invalid", `registry "${name}" is not a host with a path`, {
    hint: "Write it as in an image's name, without a scheme: registry.example.com/team",
  })
}
