// dhow registry status: where the registry is served, to whom, and how much went through.
import { registryStatus } from "../../client/registry-server.ts"
import type { RegistryListenerStatus } from "../../wire/registry-server.ts"
import { defineCommand } from "../command.ts"
import { string } from "../flags/flags.ts"
import { print } from "../output.ts"
import { humanSize } from "../render/human.ts"
import { type Columns, type Row, showRows } from "../render/rows.ts"

const COLUMNS: Columns = {
  headers: {
    URL: "URL",
    Status: "STATUS",
    Access: "ACCESS",
    Proxies: "PROXIES",
    Requests: "REQUESTS",
    Sent: "SENT",
    Received: "RECEIVED",
  },
  shown: ["URL", "Status", "Access", "Proxies", "Requests", "Sent", "Received"],
}

export const status = defineCommand({
  usage: "[OPTIONS]",
  summary: "Show where the registry is served and what went through",
  flags: { format: string("", "Print each address with a Go template, or 'table', 'json'") } as const,
  args: [0, 0],
  examples: ["dhow registry status", "dhow registry status --format '{{.URL}}'"],
  async run({ client }, flags) {
    const { listeners, repositories, size, uploads, cacheHits, cacheMisses } = await registryStatus(client)
    await showRows(listeners.map(rowOf), { columns: COLUMNS, format: flags.format ?? "" })
    if (flags.format !== undefined && flags.format !== "table") return 0
    print(`\nRepositories: ${repositories}, ${humanSize(size)}\nUploads under way: ${uploads}`)
    if (cacheHits + cacheMisses > 0) print(`Cache: ${cacheHits} hits, ${cacheMisses} misses`)
    return 0
  },
})

function rowOf(listener: RegistryListenerStatus): Row {
  return {
    URL: listener.url,
    Address: listener.address,
    Status: listener.serving ? "serving" : (listener.error ?? "not serving"),
    Access: accessOf(listener),
    Proxies: (listener.proxies ?? []).map(({ prefix, upstream }) => `${prefix}=${upstream}`).join(", "),
    Requests: String(listener.requests),
    Sent: humanSize(listener.bytesSent),
    Received: humanSize(listener.bytesReceived),
  }
}

function accessOf({ htpasswd, anonymousPull, readOnly }: RegistryListenerStatus): string {
  const who = htpasswd === undefined ? "everybody" : anonymousPull === true ? "users push, everybody pulls" : "users"
  return readOnly === true ? `${who}, read-only` : who
}
