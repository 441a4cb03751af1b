// Logs by dhow's own endpoints: lines of several containers, each with the number of its container.
import { type ClearedLog, LOG_NAMES_HEADER, type LogUsage } from "../wire/log.ts"
import type { Client } from "./client.ts"
import type { LogsQuery } from "./containers.ts"

export type LogLine = { readonly source: number; readonly stream: 1 | 2; readonly bytes: Uint8Array }

const HEAD = 8

/** `lines` gives them in batches, as they arrive. */
export async function mergedLogs(
  client: Client,
  containers: readonly string[],
  query: LogsQuery,
): Promise<{ readonly names: readonly string[]; readonly lines: AsyncGenerator<readonly LogLine[]> }> {
  const answer = await client.request("GET", "/dhow/logs", { query: { ...query, container: containers } })
  const names = JSON.parse(answer.headers.get(LOG_NAMES_HEADER.toLowerCase()) ?? "[]") as string[]
  return { names, lines: linesOf(answer.body) }
}

async function* linesOf(body: AsyncGenerator<Uint8Array>): AsyncGenerator<readonly LogLine[]> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of body) {
    const bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk])
    const lines: LogLine[] = []
    let at = 0
    while (bytes.length - at >= HEAD) {
      const end = at + HEAD + bytes.readUInt32BE(at + 4)
      if (end > bytes.length) break
      lines.push({
        stream: bytes[at] === 2 ? 2 : 1,
        source: bytes.readUInt16BE(at + 2),
        bytes: bytes.subarray(at + HEAD, end),
      })
      at = end
    }
    rest = bytes.subarray(at)
    if (lines.length > 0) yield lines
  }
}

export function clearLogs(client: Client, container: string): Promise<ClearedLog> {
  return client.json("POST", `/dhow/containers/${encodeURIComponent(container)}/logs/clear`)
}

export function logUsage(client: Client): Promise<LogUsage> {
  return client.json("GET", "/dhow/logs/usage")
}
