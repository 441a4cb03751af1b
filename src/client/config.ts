// The daemon's configuration: dhow's own endpoints.
import type { ConfigEdit, ConfigReload, ConfigReport } from "../wire/config.ts"
import type { Client } from "./client.ts"

export function readConfig(client: Client): Promise<ConfigReport> {
  return client.json("GET", "/dhow/config")
}

export function reloadConfig(client: Client, dryRun: boolean): Promise<ConfigReload> {
  return client.json("POST", "/dhow/config/reload", { query: { "dry-run": dryRun } })
}

export function editConfig(client: Client, edit: ConfigEdit, dryRun: boolean): Promise<ConfigReload> {
  return client.json("POST", "/dhow/config", { query: { "dry-run": dryRun }, json: edit })
}
