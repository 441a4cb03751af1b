// dhow port: where a container's published ports are on the host.
import { inspectContainer } from "../../client/containers.ts"
import { DhowError } from "../../lib/errors.ts"
import type { PortBinding } from "../../wire/container.ts"
import { defineCommand } from "../command.ts"
import { cut } from "../flags/csv.ts"
import { print } from "../output.ts"

export const port = defineCommand({
  usage: "CONTAINER [PRIVATE_PORT[/PROTO]]",
  summary: "List the port mappings of a container",
  flags: {},
  args: [1, 2],
  async run({ client }, _flags, [name = "", wanted]) {
    const ports = (await inspectContainer(client, name)).NetworkSettings.Ports ?? {}
    const lines =
      wanted === undefined
        ? Object.entries(ports).flatMap(([from, found]) => (found ?? []).map((to) => `${from} -> ${addressOf(to)}`))
        : publishedAt(ports[portKey(wanted)], wanted, name)
    const byNumber = new Intl.Collator("en", { numeric: true })
    for (const line of lines.sort(byNumber.compare)) print(line)
    return 0
  },
})

function portKey(text: string): string {
  const [number, protocol] = cut(text, "/")
  if (!/^\d{1,5}$/.test(number) || Number(number) > 65535) throw new DhowError("invalid", `Invalid port (${number})`)
  return `${number}/${protocol || "tcp"}`
}

function publishedAt(found: readonly PortBinding[] | null | undefined, wanted: string, name: string): string[] {
  if (found === undefined || found === null || found.length === 0)
    throw new DhowError("not-found", `No public port '${wanted}' published for ${name}`)
  return found.map(addressOf)
}

function addressOf({ HostIp = "", HostPort = "" }: PortBinding): string {
  return HostIp.includes(":") ? `[${HostIp}]:${HostPort}` : `${HostIp}:${HostPort}`
}
