// What a service mounts: services.*.volumes, configs, secrets and devices; and its ulimits.
import { absolute, bytes, flag, mode, modeNumber, oneOf, target, text, whole } from "../leaves.ts"
import { scalar, textOf } from "../node.ts"
import { map, object, type Shape } from "../shape.ts"
import { longDevice, longMount, short } from "../short.ts"
import { pairs } from "./common.ts"

export const mount = object(
  {
    type: oneOf("bind", "volume", "tmpfs", "cluster", "npipe", "image"),
    // Only of a bind is it a path: made absolute once the type is known.
    source: text,
    target,
    read_only: flag,
    consistency: text,
    bind: object(
      {
        selinux: oneOf("z", "Z"),
        propagation: text,
        create_host_path: flag,
        recursive: oneOf("enabled", "disabled", "writable", "readonly"),
      },
      {
        defaults(fields, node) {
          if (!fields.has("create_host_path")) fields.set("create_host_path", scalar(true, node.place))
        },
      },
    ),
    volume: object({ labels: pairs, nocopy: flag, subpath: text }),
    tmpfs: object({ size: bytes, mode: modeNumber }),
    image: object({ subpath: text }),
  },
  {
    short: longMount,
    required: ["type", "target"],
    settle(entries, setting) {
      const source = entries.get("source")
      if (textOf(entries.get("type")?.node) !== "bind" || source?.node.kind !== "scalar") return
      entries.set("source", {
        ...source,
        node: { ...source.node, value: absolute(String(source.node.value), setting) },
      })
    },
  },
)

export const fileMount = object({ source: text, target: text, uid: text, gid: text, mode }, { short: short("source") })

export const secretMount = object(fileMount.fields, {
  short: short("source"),
  defaults(fields, node) {
    const source = fields.get("source")
    if (!fields.has("target") && source?.kind === "scalar")
      fields.set("target", scalar(`/run/secrets/${source.value}`, node.place))
  },
})

export const hostDevice = object(
  { source: text, target: text, permissions: text },
  { short: longDevice, required: ["source"] },
)

export const ulimits: Shape = map(
  { kind: "either", scalar: whole, object: object({ soft: whole, hard: whole }, { required: ["soft", "hard"] }) },
  { names: /^[a-z]+$/ },
)
