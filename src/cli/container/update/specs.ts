// What the flags of `update` and the lines of `edit` say of ports and mounts, in the short forms of -p and -v too.
import { resolve } from "node:path"
import type { Mount, PortMap } from "../../../wire/container.ts"
import { callersMap } from "../../create/caller.ts"
import { parseMount, splitVolume } from "../../create/mounts.ts"
import { parsePublished } from "../../create/ports.ts"

/** "80", "80/udp", "8080:80" or "127.0.0.1:8080:80/tcp". A port alone means all its bindings. */
export function parseUnpublished(specs: readonly string[]): PortMap {
  const map: PortMap = {}
  for (const spec of specs)
    for (const [port, bindings] of Object.entries(parsePublished([spec]).bindings)) {
      if (!spec.includes(":")) map[port] = null
      else if (map[port] !== null) map[port] = [...(map[port] ?? []), ...(bindings ?? [])]
    }
  return map
}

const PROPAGATION = /^r?(?:private|slave|shared)$/

/** "type=bind,source=/a,target=/b", or as with -v: "/a:/b:ro", "data:/b", "/b". */
export function parseMountSpec(text: string): Mount {
  if (/(?:^|,)(?:target|dst|destination)=/i.test(text)) return parseMount(text)
  const parts = splitVolume(text)
  const refuse = (why: string): Error => new Error(`invalid mount '${text}': ${why}`)
  if (parts.length > 3 || parts.includes("")) throw refuse("expected SOURCE:TARGET[:OPTIONS]")
  if (parts.length === 1) {
    if (!text.startsWith("/")) throw refuse("the target must be an absolute path")
    return { Type: "volume", Target: text }
  }
  const [source = "", target = "", options = ""] = parts
  if (!target.startsWith("/")) throw refuse("the target must be an absolute path")
  const isBind = source.startsWith("/") || source.startsWith(".")
  const mount: Mount = { Type: isBind ? "bind" : "volume", Source: isBind ? resolve(source) : source, Target: target }
  if (isBind) mount.BindOptions = { CreateMountpoint: true }
  for (const word of options.split(",").filter((option) => option !== "")) {
    if (word === "ro") mount.ReadOnly = true
    else if (word === "rw") mount.ReadOnly = false
    else if (isBind && PROPAGATION.test(word)) mount.BindOptions = { ...mount.BindOptions, Propagation: word }
    else if (!isBind && word === "nocopy") mount.VolumeOptions = { ...mount.VolumeOptions, NoCopy: true }
    else if (word.startsWith("map=")) {
      const mapped = callersMap(word.slice("map=".length))
      if (isBind) mount.BindOptions = { ...mount.BindOptions, Map: mapped }
      else mount.VolumeOptions = { ...mount.VolumeOptions, Map: mapped }
    } else throw refuse(`unknown option "${word}"`)
  }
  return mount
}
