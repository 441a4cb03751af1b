// What a driver knows of the container it logs for, and what its options make of that: attributes and the tag.
import { compileTemplate } from "../../lib/template/evaluate.ts"
import type { Value } from "../../lib/template/nodes.ts"
import type { LogOptions } from "./options.ts"

export type LogInfo = {
  readonly options: LogOptions
  readonly id: string
  readonly name: string
  readonly path: string
  readonly args: readonly string[]
  readonly imageId: string
  readonly imageName: string
  /** RFC 3339 with nanoseconds. */
  readonly created: string
  readonly env: readonly string[]
  readonly labels: Readonly<Record<string, string>>
}

/** The labels and variables that the options name, as one map; `rename` changes the names. */
export function extraAttributes(
  { options, env, labels }: Pick<LogInfo, "options" | "env" | "labels">,
  rename: (name: string) => string = (name) => name,
): Record<string, string> {
  const extra: Record<string, string> = {}
  const variables = Object.fromEntries(
    env.flatMap((entry) => {
      const at = entry.indexOf("=")
      return at < 0 ? [] : [[entry.slice(0, at), entry.slice(at + 1)]]
    }),
  )
  const add = (values: Readonly<Record<string, string>>, names: string | undefined, pattern: string | undefined) => {
    for (const name of names ? names.split(",") : [])
      if (Object.hasOwn(values, name)) extra[rename(name)] = values[name]!
    const regex = pattern ? new RegExp(pattern) : undefined
    for (const [name, value] of Object.entries(values)) if (regex?.test(name)) extra[rename(name)] = value
  }
  add(labels, options["labels"], options["labels-regex"])
  add(variables, options["env"], options["env-regex"])
  return extra
}

/** Of every driver but json-file, which has a tag only where one is asked for. */
export const DEFAULT_TAG = "{{.ID}}"

export function logTag(info: LogInfo, fallback: string): string {
  const command = [info.path, ...info.args].join(" ")
  const data = {
    ID: info.id.slice(0, 12),
    FullID: info.id,
    Name: info.name,
    ImageID: info.imageId.slice(0, 12),
    ImageFullID: info.imageId,
    ImageName: info.imageName,
    // Docker's own word: what takes tags apart looks for it.
    DaemonName: "docker",
    Command: command,
    Hostname: Bun.env["HOSTNAME"] ?? "",
    Config: info.options,
    ContainerID: info.id,
    ContainerName: `/${info.name}`,
    ContainerEntrypoint: info.path,
    ContainerArgs: info.args,
    ContainerImageID: info.imageId,
    ContainerImageName: info.imageName,
    ContainerCreated: info.created,
    ContainerEnv: info.env,
    ContainerLabels: info.labels,
    LogPath: "",
    ExtraAttributes: () => extraAttributes(info),
  }
  return compileTemplate(info.options["tag"] || fallback)(data as unknown as Value)
}

/** A map as Go writes it: names in order, and what HTML might take for its own escaped. */
export function goJson(map: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(map).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return JSON.stringify(Object.fromEntries(entries)).replace(
    /[<>&\u2028\u2029]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  )
}
