// What Docker's published API references have, as extract.ts wrote it down.
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
