// How containers ended: dhow's own endpoints.
import type { ExitReport } from "../wire/exit.ts"
import type { Why } from "../wire/why.ts"
import type { Client } from "./client.ts"

const at = (name: string, rest: string): string => `/dhow/containers/${encodeURIComponent(name)}${rest}`

export function explainContainer(client: Client, name: string): Promise<Why> {
  return client.json("GET", at(name, "/why"))
}

/** The answer's own text. */
export function explainContainerText(client: Client, name: string): Promise<string> {
  return client.text("GET", at(name, "/why"))
}

/** Newest first. */
export function containerExits(client: Client, name: string): Promise<ExitReport[]> {
  return client.json("GET", at(name, "/exits"))
}
