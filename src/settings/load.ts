// The configuration as it is at one moment, for a daemon that begins and for `dhow internal`; an error names the place.
import type { Config } from "../config.ts"
import { DhowError } from "../lib/errors.ts"
import type { ConfigOrigin } from "../wire/config.ts"
import { buildConfig, KeyError } from "./build.ts"
import { KEYS } from "./keys.ts"
import { type Gathered, gather, type Settings, type Sources, sourcesOf } from "./sources.ts"

export function loadConfig(args: readonly string[], environment: Sources["environment"]): Config {
  const sources = sourcesOf(args, environment)
  return buildPlaced(gatherChecked(sources).settings, sources)
}

/** Keys that are judged together. */
const TOGETHER: Readonly<Record<string, readonly string[]>> = {
  "default-runtime": ["default-runtime", "runtimes"],
  "log-opts": ["log-driver", "log-opts"],
  registries: ["insecure-registries", "registry-mirrors"],
}

/** What holds of the sources. What Docker's file says and dhow cannot mean is passed over, and never keeps dhow from starting. */
export function gatherChecked(sources: Sources, check?: (config: Config) => void, ownText?: Uint8Array): Gathered {
  let gathered = gather(sources, ownText)
  for (;;) {
    try {
      const config = buildConfig(gathered.settings, sources.file)
      check?.(config)
      return gathered
    } catch (error) {
      const rest = error instanceof KeyError ? withoutDockers(gathered, error) : undefined
      if (rest === undefined) throw error instanceof KeyError ? placed(error, gathered.settings) : error
      gathered = rest
    }
  }
}

/** Undefined where the wrong value is not Docker's. */
function withoutDockers(gathered: Gathered, { key, message }: KeyError): Gathered | undefined {
  const settings = new Map(gathered.settings)
  const passedOver = [...gathered.passedOver]
  for (const name of TOGETHER[key] ?? [key]) {
    const origin = settings.get(name)?.origins.at(-1)
    if (origin?.Kind !== "daemon.json") continue
    const fallback = KEYS[name]?.fallback
    if (fallback === undefined) settings.delete(name)
    else settings.set(name, { value: fallback, origins: [{ Kind: "default" }] })
    passedOver.push({ key: name, line: origin.Line, reason: message, file: origin.File })
  }
  return passedOver.length === gathered.passedOver.length ? undefined : { ...gathered, settings, passedOver }
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
    throw error instanceof KeyError ? placed(error, settings) : error
  }
}

function placed(error: KeyError, settings: Settings): DhowError {
  const origin = settings.get(error.key)?.origins.at(-1)
  const place = origin === undefined ? undefined : placeOf(origin)
  return place === undefined
    ? error
    : new DhowError("invalid", `${place}: key "${error.key}": ${error.message}`, { cause: error.cause })
}

/** Undefined for what has no place that could be mended there: the message then speaks for itself. */
function placeOf(origin: ConfigOrigin): string | undefined {
  if (origin.Kind === "file" || origin.Kind === "daemon.json")
    return `Configuration file "${origin.File}", line ${origin.Line}`
  return undefined
}
