// Short forms of a service's fields, made long: ports, mounts, devices, secrets, commands. What is thrown says what is
// wrong, without a place: the caller knows it.
import { isIP } from "node:net"
import { mapping, type Node, type ScalarValue, scalar, sequence } from "./node.ts"
import { splitWords } from "./words.ts"

function fields(node: Node, values: Readonly<Record<string, ScalarValue | Node | undefined>>): Node {
  const made: Record<string, Node> = {}
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue
    made[name] = value !== null && typeof value === "object" ? value : scalar(value, node.place)
  }
  return mapping(made, node.place)
}

function isText(node: Node): node is Node & { readonly kind: "scalar"; readonly value: string } {
  return node.kind === "scalar" && typeof node.value === "string"
}

/** "[[IP:]HOST:]CONTAINER[/PROTOCOL]", with ranges. */
export function longPorts(node: Node): readonly Node[] {
  if (node.kind !== "scalar" || node.value === null) return [node]
  const text = String(node.value)
  const [address = "", protocol = "tcp"] = text.split("/")
  const parts = address.split(":")
  const container = parts.pop()!
  const host = parts.pop()
  let ip = parts.join(":")
  if (ip.startsWith("[") && ip.endsWith("]")) ip = ip.slice(1, -1)
  if (ip !== "" && isIP(ip) === 0) throw new Error(`invalid IP address: ${ip}`)
  if (!["tcp", "udp", "sctp"].includes(protocol.toLowerCase())) throw new Error(`invalid proto: ${protocol}`)
  if (container === "") throw new Error(`no port specified: ${text}`)
  const [first, last] = range(container, `invalid containerPort: ${container}`)
  const published = host === undefined || host === "" ? undefined : range(host, `invalid hostPort: ${host}`)
  if (published !== undefined && last !== first && published[1] - published[0] !== last - first)
    throw new Error(`invalid ranges specified for container and host Ports: ${container} and ${host}`)
  const found: Node[] = []
  for (let offset = 0; offset <= last - first; offset++) {
    const at = published === undefined ? undefined : String(published[0] + offset)
    const isChoice = published !== undefined && first === last && published[0] !== published[1]
    found.push(
      fields(node, {
        mode: "ingress",
        host_ip: ip === "" ? undefined : ip,
        target: first + offset,
        published: isChoice ? `${published[0]}-${published[1]}` : at,
        protocol: protocol.toLowerCase(),
      }),
    )
  }
  return found
}

function range(text: string, complaint: string): [number, number] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text)
  if (match === null) throw new Error(complaint)
  const first = Number(match[1])
  const last = Number(match[2] ?? match[1])
  if (last < first || last > 65535) throw new Error(complaint)
  return [first, last]
}

const PROPAGATIONS = ["rprivate", "private", "rshared", "shared", "rslave", "slave"]

/** "[SOURCE:]TARGET[:OPTIONS]" */
export function longMount(node: Node): Node | undefined {
  if (!isText(node)) return undefined
  const parts = node.value.split(":")
  if (parts.some((part) => part === "")) throw new Error(`invalid spec: ${node.value}: empty section between colons`)
  if (parts.length > 3) throw new Error(`invalid spec: ${node.value}: too many colons`)
  const [first = "", second, options = ""] = parts
  const source = second === undefined ? undefined : first
  const isBind = source !== undefined && /^[./~]/.test(source)
  const given = options === "" ? [] : options.split(",")
  const unknown = given.find(
    (one) => !["ro", "rw", "nocopy", "z", "Z", "cached", "delegated", "consistent", ...PROPAGATIONS].includes(one),
  )
  if (unknown !== undefined) throw new Error(`invalid spec: ${node.value}: unknown option "${unknown}"`)
  const propagation = given.findLast((one) => PROPAGATIONS.includes(one))
  const selinux = given.findLast((one) => one === "z" || one === "Z")
  const bind = fields(node, { selinux, propagation, create_host_path: isBind ? true : undefined })
  const hasBind = isBind || propagation !== undefined || selinux !== undefined
  return fields(node, {
    type: isBind ? "bind" : "volume",
    source,
    target: second ?? first,
    read_only: given.findLast((one) => one === "ro" || one === "rw") === "ro" ? true : undefined,
    bind: hasBind ? bind : undefined,
    volume:
      isBind && !given.includes("nocopy")
        ? undefined
        : fields(node, { nocopy: given.includes("nocopy") ? true : undefined }),
  })
}

/** "HOST[:CONTAINER[:PERMISSIONS]]" */
export function longDevice(node: Node): Node | undefined {
  if (!isText(node)) return undefined
  // A name of the container device interface, "vendor.com/class=name", is no path.
  const parts = node.value.split(":")
  if (parts.length > 3) throw new Error(`confusing device mapping, please use long syntax: ${node.value}`)
  const [source = "", target = "", permissions = "rwm"] = parts
  return fields(node, { source, target: target === "" ? source : target, permissions })
}

/** The name of a field whose value alone may stand for the whole. */
export function short(
  name: string,
  more: Readonly<Record<string, ScalarValue>> = {},
): (node: Node) => Node | undefined {
  return (node) => (isText(node) ? fields(node, { [name]: node, ...more }) : undefined)
}

/** A command line is split into words, as a shell would without doing anything else. */
export function longCommand(node: Node): Node {
  if (node.kind !== "scalar" || node.value === null) return node
  return sequence(
    splitWords(String(node.value)).map((word) => scalar(word, node.place)),
    node.place,
  )
}

export function longTest(node: Node): Node {
  if (!isText(node)) return node
  return sequence([scalar("CMD-SHELL", node.place), node], node.place)
}

/** A dependency that a list only names. */
export function startedDependency(node: Node): Node {
  return fields(node, { condition: "service_started", required: true })
}

/** "name:address" and "name=address"; of a mapping, an address or a list of them. */
export function longHosts(node: Node): Node {
  const found: Node[] = []
  const add = (name: string, address: string, from: Node): void => {
    if (name === "" || /[:=]/.test(name)) throw new Error(`bad host name '${name}'`)
    for (const one of address.split(",")) found.push(scalar(`${name}=${one.replace(/^\[(.*)\]$/, "$1")}`, from.place))
  }
  if (node.kind === "mapping")
    for (const [name, { node: value }] of node.entries)
      for (const item of value.kind === "sequence" ? value.items : [value])
        add(name, item.kind === "scalar" ? String(item.value ?? "") : "", item)
  else if (node.kind === "sequence")
    for (const item of node.items) {
      const text = isText(item) ? item.value : ""
      const at = text.includes("=") ? text.indexOf("=") : text.indexOf(":")
      if (at < 0) throw new Error(`invalid additional host, missing IP: ${text}`)
      add(text.slice(0, at), text.slice(at + 1), item)
    }
  else return node
  return { ...sequence(found, node.place), ...(node.tag === undefined ? {} : { tag: node.tag }) }
}

/** A mapping of ids to paths as a list of "id=path". */
export function longKeys(node: Node): Node {
  if (node.kind !== "mapping") return node
  const items = [...node.entries].map(([id, { node: path }]) =>
    scalar(path.kind === "scalar" && path.value !== null ? `${id}=${path.value}` : id, path.place),
  )
  return sequence(items, node.place)
}
