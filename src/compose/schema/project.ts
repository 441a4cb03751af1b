// A compose file as a whole: what stands beside the services.
import { absolute, flag, path, text, whole, word } from "../leaves.ts"
import { child, type Node, scalar, textOf } from "../node.ts"
import { keep, list, map, type ObjectShape, object, type Shape } from "../shape.ts"
import { short } from "../short.ts"
import { names, options, pairs, texts } from "./common.ts"
import { service } from "./service.ts"

/** Once a mapping with a name. */
const external: Shape = {
  kind: "either",
  scalar: flag,
  object: object({ name: text }),
}

/** "external: {name: x}" is an old form of "external: true" beside "name: x". */
function adoptName(fields: Map<string, Node>, node: Node): void {
  const given = fields.get("external")
  if (given?.kind !== "mapping") return
  fields.set("external", scalar(true, given.place))
  const name = child(given, "name")
  if (name !== undefined && !fields.has("name")) fields.set("name", { ...name, place: node.place })
}

const network = object(
  {
    name: text,
    driver: text,
    driver_opts: options,
    ipam: object(
      {
        driver: text,
        config: list(object({ subnet: text, gateway: text, ip_range: text, aux_addresses: options }), {
          replace: true,
          key: (node) => String((child(node, "subnet") as { value?: unknown } | undefined)?.value ?? ""),
        }),
        options,
      },
      { prune: true },
    ),
    external,
    internal: flag,
    attachable: flag,
    labels: pairs,
    enable_ipv4: keep(flag),
    enable_ipv6: keep(flag),
  },
  { defaults: adoptName },
)

const volume = object(
  { name: text, driver: text, driver_opts: options, external, labels: pairs },
  {
    defaults: adoptName,
    // A local volume of a directory of the host is given by a path.
    settle(entries, setting) {
      const given = entries.get("driver_opts")
      if (textOf(entries.get("driver")?.node) !== "local" || given?.node.kind !== "mapping") return
      const device = given.node.entries.get("device")
      if (textOf(child(given.node, "o")) !== "bind" || device?.node.kind !== "scalar") return
      const node = { ...device.node, value: absolute(String(device.node.value), setting) }
      const all = new Map([...given.node.entries, ["device", { ...device, node }] as const])
      entries.set("driver_opts", { ...given, node: { ...given.node, entries: all } })
    },
  },
)

const fileFields = { name: text, file: path, environment: text }
const more = { external, labels: pairs, driver: text, driver_opts: options, template_driver: text }

const secret = object({ ...fileFields, ...more }, { defaults: adoptName })
const config = object({ ...fileFields, content: text, ...more }, { defaults: adoptName })

const model = object({ name: text, model: text, context_size: whole, runtime_flags: texts }, { required: ["model"] })

/** Relative paths of an include are read by whoever applies it. */
const include = object(
  {
    path: list(text, { single: true }),
    project_directory: text,
    env_file: list(text, { single: true }),
  },
  { closed: true, short: short("path") },
)

const section = (of: ObjectShape): Shape => map(of, { names, fill: true })

export const project: ObjectShape = object({
  version: word,
  name: text,
  include: list(include),
  services: map(service, { names }),
  networks: section(network),
  volumes: section(volume),
  secrets: section(secret),
  configs: section(config),
  models: section(model),
})
