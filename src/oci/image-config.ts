// The image configuration (OCI image-spec config.md), with the fields that Docker adds to it.
import type { Digest } from "./digest.ts"

export type Healthcheck = {
  /** ["NONE"], ["CMD", ...argv] or ["CMD-SHELL", line] */
  readonly Test?: readonly string[]
  /** Nanoseconds, as in Go. */
  readonly Interval?: number
  readonly Timeout?: number
  readonly StartPeriod?: number
  readonly StartInterval?: number
  readonly Retries?: number
}

/** What a container started from the image gets where its creator says nothing. */
export type ImageRunConfig = {
  readonly User?: string
  readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>
  readonly Env?: readonly string[]
  readonly Entrypoint?: readonly string[] | null
  readonly Cmd?: readonly string[] | null
  readonly Volumes?: Readonly<Record<string, Record<string, never>>>
  readonly WorkingDir?: string
  readonly Labels?: Readonly<Record<string, string>>
  readonly StopSignal?: string
  readonly ArgsEscaped?: boolean
  readonly Healthcheck?: Healthcheck
  readonly OnBuild?: readonly string[]
  readonly Shell?: readonly string[]
}

export type HistoryEntry = {
  readonly created?: string
  readonly created_by?: string
  readonly author?: string
  readonly comment?: string
  readonly empty_layer?: boolean
}

export type ImageConfig = {
  readonly created?: string
  readonly author?: string
  readonly architecture: string
  readonly variant?: string
  readonly os: string
  readonly "os.version"?: string
  readonly config?: ImageRunConfig
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly Digest[] }
  readonly history?: readonly HistoryEntry[]
}
