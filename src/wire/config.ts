// dhow's own objects of /dhow/config: what holds, who said so, and what a change does. Types only.

export type ConfigOrigin =
  | { readonly Kind: "default" }
  /** dhow's own file, or Docker's daemon.json. */
  | { readonly Kind: "file" | "daemon.json"; readonly File: string; readonly Line: number }
  | { readonly Kind: "environment" | "flag"; readonly Name: string }

/** When a change takes effect: at once, for new containers, while the bridge is idle, at a restart, or not by itself. */
export type ConfigTakes = "now" | "containers" | "idle" | "restart" | "move"

export type ConfigKey = {
  readonly Key: string
  /** As a file writes it; null where the engine chooses. */
  readonly Value: unknown
  readonly Default: unknown
  /** The last is the strongest. */
  readonly Origins: readonly ConfigOrigin[]
  readonly Takes: ConfigTakes
  readonly Summary: string
  /** What the sources say where it is not in effect yet, and why. */
  readonly Pending?: { readonly Value: unknown; readonly Reason: string }
}

export type ConfigReport = {
  readonly File: string
  /** "" where it is not read. */
  readonly DockerFile: string
  readonly Keys: readonly ConfigKey[]
  readonly PassedOver: readonly {
    readonly Key: string
    readonly File: string
    readonly Line: number
    readonly Reason: string
  }[]
  /** What is wrong with the files as they are now; what held before goes on to hold. */
  readonly Problems: readonly string[]
}

export type ConfigChange = {
  readonly Key: string
  readonly From: unknown
  readonly To: unknown
  readonly Origins: readonly ConfigOrigin[]
  /** "refused" changes nothing; the reason says what to do. */
  readonly Effect: "now" | "new containers" | "after a restart" | "refused"
  readonly Reason?: string
}

export type ConfigReload = {
  readonly DryRun: boolean
  readonly Changes: readonly ConfigChange[]
  readonly PassedOver: ConfigReport["PassedOver"]
  readonly Problems: readonly string[]
}

/** Body of POST /dhow/config: keys, or members of keys ("gc.max"), of dhow's own file. */
export type ConfigEdit = {
  readonly Set?: Readonly<Record<string, unknown>>
  readonly Unset?: readonly string[]
}
