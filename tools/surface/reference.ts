// What Docker's published API references have, and its client's commands, as extract.ts and extract-commands.ts wrote down.
import commands from "./commands.json" with { type: "json" }
import reference from "./reference.json" with { type: "json" }

export type ReferenceEntry = {
  /** "POST /containers/create", and with what belongs to it: " ?platform", " #X-Registry-Auth", " HostConfig.Memory". */
  readonly name: string
  /** First version of the API that has it, unless all have. */
  readonly since?: string
  /** Last version that has it, where newer ones have not. */
  readonly last?: string
}

export type Reference = {
  readonly versions: readonly [first: string, newest: string]
  readonly entries: readonly ReferenceEntry[]
}

export const REFERENCE = reference as unknown as Reference

/** Of docker's client: "docker container ls". */
export const COMMANDS: { readonly client: string; readonly entries: readonly ReferenceEntry[] } = {
  client: commands.client,
  entries: commands.names.map((name) => ({ name })),
}
