// The configuration as it is at one moment, for a daemon that begins and for `dhow internal`; an error names the place.
import type { Config } from "../config.ts"
import { DhowError } from "../lib/errors.ts"
import type { ConfigOrigin } from "../wire/config.ts"
import { buildConfig, KeyError } from "./build.ts"
import { type Gathered, gather, type Settings, type Sources, sourcesOf } from "./sources.ts"

export function loadConfig(args: readonly string[], environment: Sources["environment"]): Config {
  const sources = sourcesOf(args, environment)
  return buildPlaced(gather(sources).settings, sources)
}

/** `check` throws, as KeyError, what is wrong with values that the settings themselves know nothing of. */
export function buildPlaced(
  settings: Settings,
  { file }: Pick<Sources, "file">,
  check: (config: Config) => void = () => {},
): Config {
  try {
    const config = buildConfig(settings, file)
    check(config)
    return config
  } catch (error) {
    if (!(error instanceof KeyError)) throw error
    const origin = settings.get(error.key)?.origins.at(-1)
    const place = origin === undefined ? undefined : placeOf(origin)
    throw place === undefined
      ? error
      : new DhowError("invalid", `${place}: key "${error.key}": ${error.message}`, { cause: error.cause })
  }
}

/** Undefined for what has no place that could be mended there: the message then speaks for itself. */
function placeOf(origin: ConfigOrigin): string | undefined {
  if (origin.Kind === "file" || origin.Kind === "daemon.json")
    return `Configuration file "${origin.File}", line ${origin.Line}`
  return undefined
}

export type { Gathered }
