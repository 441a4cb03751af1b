// Links between containers of the default bridge (--link): the one that asks for one (the parent, in Docker's words) finds
// the other (the child) by name in /etc/hosts and by address in its environment, as they are when it starts; and the child
// has the name "/parent/alias" beside its own. Kept by the child's id, so that neither a rename nor a restart parts them.
import { writeFileSync } from "node:fs"
import { DhowError, isKind } from "../../lib/errors.ts"
import { readIfExists } from "../../lib/files.ts"
import type { EndpointSettings, HostConfig } from "../../wire/container.ts"
import { linkVariables } from "./link-variables.ts"
import { donorOf } from "./namespaces.ts"
import type { ContainerParts } from "./parts.ts"
import { containerPaths } from "./paths.ts"
import { type Container, type ContainerRecord, isRunning } from "./record.ts"
import type { ContainerStore } from "./store.ts"

const KEPT = /^([0-9a-f]{64}):(.+)$/

export type Link = { readonly alias: string; readonly child: Container }

/** On a user's network a link is a name on that network, which `EndpointSettings` carries. */
function isOnDefault(mode: string | undefined): boolean {
  return mode === undefined || ["", "default", "bridge", "none", "host"].includes(mode)
}

/** At create: names become ids; throws what Docker says of what cannot be linked to. */
export function resolveLinks(store: ContainerStore, hostConfig: HostConfig): void {
  if (!hostConfig.Links?.length || !isOnDefault(hostConfig.NetworkMode)) return
  const kept = new Map<string, string>()
  for (const text of hostConfig.Links) {
    const { name, alias } = parseLink(text)
    let child = existing(store, name)
    for (let donor = donorOf(child.hostConfig.NetworkMode ?? ""); donor !== undefined; ) {
      child = existing(store, donor)
      donor = donorOf(child.hostConfig.NetworkMode ?? "")
    }
    if (child.hostConfig.NetworkMode === "host") throw hostNetworkConflict()
    // The first one has the name, as in Docker.
    if (!kept.has(alias)) kept.set(alias, child.id)
  }
  hostConfig.Links = [...kept].map(([alias, id]) => `${id}:${alias}`)
}

export function hostNetworkConflict(): DhowError {
  return new DhowError(
    "invalid",
    "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
  )
}

/** "name", "name:alias", or as inspect shows it: "/name:/parent/alias". */
function parseLink(text: string): { readonly name: string; readonly alias: string } {
  if (text === "") throw new DhowError("invalid", "empty string specified for links")
  const [name = "", alias = name, ...more] = text.split(":")
  if (more.length > 0) throw new DhowError("invalid", `bad format for links: ${text}`)
  return text.startsWith("/")
    ? { name: name.slice(1), alias: alias.slice(alias.lastIndexOf("/") + 1) }
    : { name, alias }
}

function existing(store: ContainerStore, name: string): ContainerRecord {
  try {
    return store.resolve(name).record
  } catch (error) {
    if (!isKind(error, "not-found")) throw error
    // Not as what is not found: a client would pull an image for that.
    throw new DhowError("invalid", `could not get container for ${name}`, { cause: error })
  }
}

/** Those whose other end is still there. */
export function linksOf(
  store: Pick<ContainerStore, "find">,
  { hostConfig }: Pick<ContainerRecord, "hostConfig">,
): Link[] {
  return (hostConfig.Links ?? []).flatMap((text) => {
    const [, id = "", alias = ""] = KEPT.exec(text) ?? []
    const child = store.find(id)
    return child === undefined ? [] : [{ alias, child }]
  })
}

/** As inspect shows them; on a user's network as they were asked for. */
export function shownLinks(store: ContainerStore, record: ContainerRecord): string[] | null {
  const { Links: asked } = record.hostConfig
  if (!asked?.length) return null
  if (!asked.some((text) => KEPT.test(text))) return [...asked]
  const shown = linksOf(store, record).map(({ alias, child }) => `/${child.record.name}:/${record.name}/${alias}`)
  return shown.length === 0 ? null : shown
}

/** "parent/alias" of all links, by the id of the child. */
export function linkNames(store: ContainerStore): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>()
  for (const { record } of store.all())
    for (const { alias, child } of linksOf(store, record))
      names.set(child.record.id, [...(names.get(child.record.id) ?? []), `${record.name}/${alias}`])
  return names
}

/** What a container that is about to run, or an exec in it, has in its environment; throws where an end is missing. */
export function linkedEnvironment({ store }: Pick<ContainerParts, "store">, record: ContainerRecord): string[] {
  if (!usesBridge(record)) return []
  return linksOf(store, record).flatMap(({ alias, child }) => {
    const name = `/${record.name}/${alias}`
    if (!isRunning(child.state))
      throw new DhowError("internal", `Cannot link to a non running container: /${child.record.name} AS ${name}`)
    const bridge = child.state.process.endpoints["bridge"]
    if (bridge === undefined)
      throw new DhowError("internal", `container ${child.record.id} not attached to default bridge network`)
    const { Env: environment, ExposedPorts: ports } = child.record.config
    return linkVariables(name, { address: bridge.IPAddress ?? "", environment: environment ?? [], ports: ports ?? {} })
  })
}

/** Lines of /etc/hosts: an address, then alias, host name and name. */
export function linkedHosts(
  { store }: Pick<ContainerParts, "store">,
  record: ContainerRecord,
): (readonly [string, string])[] {
  return linksOf(store, record).flatMap(({ alias, child }) => {
    const { name, config } = child.record
    const bridge = isRunning(child.state) ? child.state.process.endpoints["bridge"] : undefined
    if (bridge === undefined && !usesBridge(child.record))
      throw new DhowError("internal", `Cannot link to /${name}, as it does not belong to the default network`)
    const names = [alias, config.Hostname ?? "", ...(alias === name ? [] : [name])]
      .filter((one) => one !== "")
      .join(" ")
    return addressesOf(bridge ?? {}).map((address) => [address, names] as const)
  })
}

function usesBridge({ hostConfig, networkingConfig }: ContainerRecord): boolean {
  const mode = hostConfig.NetworkMode ?? ""
  return ["", "default", "bridge"].includes(mode) || Object.hasOwn(networkingConfig.EndpointsConfig ?? {}, "bridge")
}

function addressesOf({ IPAddress, GlobalIPv6Address }: EndpointSettings): string[] {
  return [IPAddress, GlobalIPv6Address].filter((address) => address !== undefined && address !== "") as string[]
}

/** A child has an address again: those that run and link to it are told. What else they wrote into the file stays. */
export function tellParents(
  { store, config }: Pick<ContainerParts, "store" | "config">,
  child: string,
  bridge: EndpointSettings | undefined,
): void {
  const addresses = addressesOf(bridge ?? {})
  if (addresses.length === 0) return
  for (const { record, state } of store.all()) {
    if (!record.hostConfig.Links?.length || !isRunning(state)) continue
    const aliases = linksOf(store, record).filter((link) => link.child.record.id === child)
    if (aliases.length === 0) continue
    const { hosts } = containerPaths(config, record.id)
    const text = readIfExists(hosts)
    if (text === undefined) continue
    const told = aliases.reduce((lines, { alias }) => withAddresses(lines, alias, addresses), text)
    if (told !== text) writeFileSync(hosts, told)
  }
}

/** The lines whose first name is `alias`, each with the new address of its family. */
export function withAddresses(text: string, alias: string, addresses: readonly string[]): string {
  return text
    .split("\n")
    .map((line) => {
      const [, address = "", name] = /^(\S+)\t([^\s.]+)/.exec(line) ?? []
      if (name !== alias) return line
      const fresh = addresses.find((one) => one.includes(":") === address.includes(":"))
      return fresh === undefined ? line : `${fresh}${line.slice(address.length)}`
    })
    .join("\n")
}

/** `rm --link`: the name goes, both containers stay. */
export async function removeLink({ store, locks }: ContainerParts, reference: string): Promise<void> {
  const { record: child } = store.resolve(reference)
  const path = reference.startsWith("/") ? reference.slice(1) : reference
  const slash = path.lastIndexOf("/")
  if (slash < 0) throw new DhowError("conflict", "Conflict, cannot remove the default link name of the container")
  const [parent, alias] = [path.slice(0, slash), path.slice(slash + 1)]
  const id = store.idOfName(parent)
  if (id === undefined) throw new DhowError("not-found", `Cannot get parent /${parent} for link name /${path}`)
  await locks.hold(id, async () => {
    const { hostConfig } = store.get(id).record
    const Links = (hostConfig.Links ?? []).filter((text) => text !== `${child.id}:${alias}`)
    store.amend(id, { hostConfig: { ...hostConfig, Links } })
  })
}
