// A container's configuration as an OCI runtime spec, with Docker's defaults. Pure: nothing is looked up here.
import type { RuntimeSpec } from "../oci/runtime-spec.ts"
import type { SpecInput } from "./spec-input.ts"

export type ContainerSpec = {
  readonly spec: RuntimeSpec
  /** What was asked for and cannot be had on this host, one sentence each. */
  readonly warnings: readonly string[]
}

export declare function containerSpec(input: SpecInput): ContainerSpec
/** config.json; splices the serialized seccomp profile in instead of serializing it anew. */
export declare function serializeSpec(spec: RuntimeSpec): string
