// Image configurations that somebody else wrote: checked once, when they come in, so that whoever reads one from the
// store can trust its shape.
import { DhowError } from "../../lib/errors.ts"
import { type Digest, isDigest } from "../../oci/digest.ts"
import type { ImageConfig } from "../../oci/image-config.ts"
import { hostPlatform } from "../../oci/platform.ts"

type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === "string"
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText)
const isRecord: Check = (value) => typeof value === "object" && value !== null && !Array.isArray(value)
const isTextRecord: Check = (value) => isRecord(value) && Object.values(value as object).every(isText)
/** Docker's oldest images have one word where today there is a list. */
const isCommand: Check = (value) => isText(value) || isTexts(value)

const RUN_FIELDS: Readonly<Record<string, Check>> = {
  User: isText,
  ExposedPorts: isRecord,
  Env: isTexts,
  Entrypoint: isCommand,
  Cmd: isCommand,
  Volumes: isRecord,
  WorkingDir: isText,
  Labels: isTextRecord,
  StopSignal: isText,
  Healthcheck: isRecord,
  OnBuild: isTexts,
  Shell: isTexts,
}
const FIELDS: Readonly<Record<string, Check>> = {
  architecture: isText,
  os: isText,
  created: isText,
  author: isText,
  variant: isText,
  config: isRecord,
  history: (value) => Array.isArray(value) && value.every(isRecord),
}

/** Throws invalid, naming the configuration as `name`. */
export function parseConfig(bytes: Uint8Array, name: string): ImageConfig {
  const invalid = (detail: string, cause?: unknown): DhowError =>
    new DhowError("invalid", `Image configuration "${name}" ${detail}`, { cause })
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"))
  } catch (cause) {
    throw invalid("is not JSON", cause)
  }
  if (!isRecord(value)) throw invalid("is not an object")
  const config = value as Partial<ImageConfig>
  const wrong = firstWrong(config, FIELDS) ?? firstWrong(config.config ?? {}, RUN_FIELDS)
  if (wrong !== undefined) throw invalid(`has a field "${wrong}" of the wrong type`)
  const layers: unknown = config.rootfs?.diff_ids ?? []
  if (!Array.isArray(layers) || !layers.every((layer) => typeof layer === "string" && isDigest(layer)))
    throw invalid("has a diff id that is not a sha256 digest")
  // Old images may not say what they are for: this machine's, as Docker takes it.
  const host = hostPlatform()
  const platform = { architecture: config.architecture || host.architecture, os: config.os || host.os }
  return normalizeConfig({
    ...(config as ImageConfig),
    ...platform,
    rootfs: { type: "layers", diff_ids: layers as Digest[] },
  })
}

/** The shape that the rest of the engine relies on, out of what parseConfig() has let in. */
export function normalizeConfig({ config: run, history, rootfs, ...rest }: ImageConfig): ImageConfig {
  const base: ImageConfig = {
    ...rest,
    rootfs: { type: "layers", diff_ids: rootfs?.diff_ids ?? [] },
    ...(history === undefined || history === null ? {} : { history }),
  }
  if (run === undefined || run === null) return base
  const { Cmd, Entrypoint, ...others } = run
  return {
    ...base,
    config: {
      ...others,
      ...(Entrypoint === undefined ? {} : { Entrypoint: list(Entrypoint) }),
      ...(Cmd === undefined ? {} : { Cmd: list(Cmd) }),
    },
  }
}

function list(value: readonly string[] | string | null): readonly string[] | null {
  return typeof value === "string" ? [value] : value
}

/** Null is as good as nothing: that is how Go writes an empty list. */
function firstWrong(object: object, fields: Readonly<Record<string, Check>>): string | undefined {
  return Object.entries(fields).find(([field, check]) => {
    const value = (object as Record<string, unknown>)[field]
    return value !== undefined && value !== null && !check(value)
  })?.[0]
}
