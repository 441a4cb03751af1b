// `changes` of import and commit: Dockerfile lines that set the run configuration. Instructions that would need a build
// are refused, as Docker does.
import { DhowError } from "../../lib/errors.ts"
import { parseDuration } from "../../lib/timestamp.ts"
import type { Healthcheck, ImageRunConfig } from "../../oci/image-config.ts"
import { splitWords } from "./words.ts"

/** `words`: those of the line, with the variables of the configuration's environment replaced. */
type Change = (config: ImageRunConfig, rest: string, words: () => readonly string[]) => ImageRunConfig

const INSTRUCTIONS: Readonly<Record<string, Change>> = {
  CMD: (config, rest) => ({ ...config, Cmd: commandOf(config, rest) }),
  ENTRYPOINT: (config, rest) => ({ ...config, Entrypoint: commandOf(config, rest) }),
  ENV: (config, rest, words) => ({
    ...config,
    Env: mergeEnvironment(config.Env ?? [], pairsOf("ENV", rest, words())),
  }),
  LABEL: (config, rest, words) => ({
    ...config,
    Labels: { ...config.Labels, ...Object.fromEntries(pairsOf("LABEL", rest, words())) },
  }),
  EXPOSE: (config, _, words) => ({ ...config, ExposedPorts: { ...config.ExposedPorts, ...setOf(portsOf(words())) } }),
  VOLUME: (config, rest, words) => ({
    ...config,
    Volumes: { ...config.Volumes, ...setOf(jsonForm(rest) ?? words()) },
  }),
  USER: (config, _, words) => ({ ...config, User: one("USER", words()) }),
  WORKDIR: (config, _, words) => ({
    ...config,
    WorkingDir: joinDirectory(config.WorkingDir ?? "/", words().join(" ")),
  }),
  STOPSIGNAL: (config, _, words) => ({ ...config, StopSignal: one("STOPSIGNAL", words()) }),
  HEALTHCHECK: (config, rest) => ({ ...config, Healthcheck: healthcheckOf(rest) }),
  ONBUILD: (config, rest) => ({ ...config, OnBuild: [...(config.OnBuild ?? []), rest] }),
}

export function applyChanges(config: ImageRunConfig, lines: readonly string[]): ImageRunConfig {
  let changed = config
  let isCommandSet = false
  for (const line of lines.flatMap((text) => text.replace(/\\\n/g, "").split("\n"))) {
    const trimmed = line.trim()
    if (trimmed === "" || trimmed.startsWith("#")) continue
    const [, word = "", rest = ""] = /^(\S+)\s*([\s\S]*)$/.exec(trimmed) ?? []
    const change = INSTRUCTIONS[word.toUpperCase()]
    if (change === undefined) throw new DhowError("invalid", `${word} is not a valid change command`)
    if (rest === "") throw new DhowError("invalid", `${word.toUpperCase()} requires at least one argument`)
    const environment = new Map((changed.Env ?? []).map(entryOf))
    changed = change(changed, rest, () => splitWords(rest, (name) => environment.get(name)))
    isCommandSet ||= word.toUpperCase() === "CMD"
    // The command that was there belongs to the entry point that was there.
    if (word.toUpperCase() === "ENTRYPOINT" && !isCommandSet) changed = { ...changed, Cmd: null }
  }
  return changed
}

/** ["a","b"] as it stands; undefined where the text is not a JSON array of strings. */
function jsonForm(text: string): string[] | undefined {
  if (!text.startsWith("[")) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : undefined
  } catch {
    return undefined
  }
}

function commandOf({ Shell: shell }: ImageRunConfig, rest: string): readonly string[] {
  return jsonForm(rest) ?? [...(shell === undefined || shell.length === 0 ? ["/bin/sh", "-c"] : shell), rest]
}

/** "a=b=c" is b=c by the name a. */
function entryOf(entry: string): readonly [string, string] {
  const equals = entry.indexOf("=")
  return equals < 0 ? [entry, ""] : [entry.slice(0, equals), entry.slice(equals + 1)]
}

function one(name: string, found: readonly string[]): string {
  if (found.length !== 1) throw new DhowError("invalid", `${name} requires exactly one argument`)
  return found[0]!
}

/** KEY=value …, or the older form of one key and the rest of the line. */
function pairsOf(name: string, rest: string, found: readonly string[]): readonly (readonly [string, string])[] {
  if (!(found[0] ?? "").includes("=")) {
    const [, key = "", value = ""] = /^(\S+)\s+([\s\S]+)$/.exec(rest) ?? []
    if (key === "") throw new DhowError("invalid", `${name} must have two arguments`)
    return [[key, value]]
  }
  return found.map((word) => {
    const equals = word.indexOf("=")
    if (equals < 0)
      throw new DhowError("invalid", `Syntax error - can't find = in "${word}". Must be of the form: name=value`)
    if (equals === 0) throw new DhowError("invalid", `${name} names can not be blank`)
    return [word.slice(0, equals), word.slice(equals + 1)]
  })
}

function mergeEnvironment(
  environment: readonly string[],
  pairs: readonly (readonly [string, string])[],
): readonly string[] {
  const merged = new Map(environment.map((entry) => [entry.split("=", 1)[0]!, entry]))
  for (const [key, value] of pairs) merged.set(key, `${key}=${value}`)
  return [...merged.values()]
}

/** "80", "80/udp" and "8000-8010" as "80/tcp", …. */
function portsOf(words: readonly string[]): readonly string[] {
  return words.flatMap((word) => {
    const [, from = "", to = from, protocol = "tcp"] = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/i.exec(word) ?? []
    const first = Number(from)
    const last = Number(to)
    if (from === "" || first < 1 || last > 65535 || first > last)
      throw new DhowError("invalid", `invalid containerPort: ${word}`)
    return Array.from({ length: last - first + 1 }, (_, at) => `${first + at}/${protocol.toLowerCase()}`)
  })
}

function setOf(keys: readonly string[]): Record<string, Record<string, never>> {
  return Object.fromEntries(keys.map((key) => [key, {}]))
}

function joinDirectory(base: string, path: string): string {
  const parts: string[] = []
  for (const part of (path.startsWith("/") ? path : `${base}/${path}`).split("/")) {
    if (part === "..") parts.pop()
    else if (part !== "" && part !== ".") parts.push(part)
  }
  return `/${parts.join("/")}`
}

const HEALTH_TIMES = {
  interval: "Interval",
  timeout: "Timeout",
  "start-period": "StartPeriod",
  "start-interval": "StartInterval",
} as const

function healthcheckOf(rest: string): Healthcheck {
  const invalid = (detail: string): DhowError => new DhowError("invalid", `HEALTHCHECK ${detail}`)
  const options: { -readonly [K in keyof Healthcheck]: Healthcheck[K] } = {}
  let text = rest
  for (let match = /^--([a-z-]+)=(\S+)\s*/.exec(text); match !== null; match = /^--([a-z-]+)=(\S+)\s*/.exec(text)) {
    const [whole, name = "", value = ""] = match
    text = text.slice(whole.length)
    if (name === "retries") {
      if (!/^\d+$/.test(value)) throw invalid(`--retries must be a number, got "${value}"`)
      options.Retries = Number(value)
    } else if (Object.hasOwn(HEALTH_TIMES, name)) {
      const milliseconds = parseDuration(value)
      if (milliseconds === undefined || milliseconds < 0) throw invalid(`--${name}: invalid duration "${value}"`)
      options[HEALTH_TIMES[name as keyof typeof HEALTH_TIMES]] = Math.round(milliseconds * 1e6)
    } else throw invalid(`unknown flag: --${name}`)
  }
  const [, kind = "", command = ""] = /^(\S+)\s*([\s\S]*)$/.exec(text) ?? []
  switch (kind.toUpperCase()) {
    case "NONE":
      if (command !== "") throw invalid("NONE takes no arguments")
      return { Test: ["NONE"] }
    case "CMD": {
      if (command === "") throw invalid("Missing command after HEALTHCHECK CMD")
      const argv = jsonForm(command)
      return { Test: argv === undefined ? ["CMD-SHELL", command] : ["CMD", ...argv], ...options }
    }
    default:
      throw invalid(`Unknown type "${kind}" (try CMD)`)
  }
}
