// The engine's platforms: dhow's own endpoints.
import type { PlatformStatus } from "../wire/platform.ts"
import type { Client } from "./client.ts"

export function listPlatforms(client: Client): Promise<PlatformStatus[]> {
  return client.json("GET", "/dhow/platforms")
}

export function changePlatforms(
  client: Client,
  change: "install" | "remove",
  platforms: readonly string[],
): Promise<PlatformStatus[]> {
  return client.json("POST", `/dhow/platforms/${change}`, { query: { platform: platforms } })
}
