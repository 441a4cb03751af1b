// From the merged tree to the project: implied networks and dependencies, names, the services' environments.
import { DhowError } from "../lib/errors.ts"
import { parseEnvFile } from "./env-file.ts"
import type { Files } from "./files.ts"
import type { Dependency, Named, Project, Service } from "./model.ts"
import { type Mapping, type Plain, toPlain } from "./node.ts"

type Fields = Record<string, Plain>

export type NormalizeSetting = {
  readonly name: string
  readonly directory: string
  readonly paths: readonly string[]
  readonly environment: ReadonlyMap<string, string>
  readonly files: Files
  /** Leave env_file and label_file as they are. */
  readonly keepEnvFiles?: boolean
}

export function normalize(tree: Mapping, setting: NormalizeSetting): Project {
  const plain = toPlain(tree) as Fields
  const services = record(plain["services"])
  const networks = { ...record(plain["networks"]) }
  const made: Record<string, Service> = {}
  let usesDefault = false
  for (const name of sorted(services)) {
    const service = normalService(name, record(services[name]), setting)
    made[name] = service
    usesDefault ||= service.networks !== undefined && Object.hasOwn(service.networks, "default")
  }
  if (usesDefault && networks["default"] === undefined) networks["default"] = {}
  const extensions = Object.fromEntries(Object.entries(plain).filter(([name]) => name.startsWith("x-")))
  return {
    name: setting.name,
    services: made,
    networks: withNames(networks, setting.name),
    volumes: withNames(record(plain["volumes"]), setting.name),
    secrets: withNames(record(plain["secrets"]), setting.name),
    configs: configsWithContent(withNames(record(plain["configs"]), setting.name), setting),
    models: record(plain["models"]),
    extensions,
    disabled: {},
    directory: setting.directory,
    files: setting.paths,
    environment: setting.environment,
  } as unknown as Project
}

function record(value: Plain | undefined): Fields {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Fields) : {}
}

function sorted(fields: Fields): string[] {
  return Object.keys(fields).sort()
}

function withNames(section: Fields, project: string): Fields {
  const made: Fields = {}
  for (const key of sorted(section)) {
    const resource = record(section[key])
    const name = resource["name"] ?? (resource["external"] === true ? key : `${project}_${key}`)
    made[key] = { ...resource, name }
  }
  return made
}

/** A config of a variable has its content from it. */
function configsWithContent(configs: Fields, { environment }: NormalizeSetting): Fields {
  return Object.fromEntries(
    Object.entries(configs).map(([key, value]) => {
      const config = record(value)
      const variable = config["environment"]
      const content = typeof variable === "string" ? environment.get(variable) : undefined
      return [key, content === undefined ? config : { ...config, content }]
    }),
  )
}

function normalService(name: string, given: Fields, setting: NormalizeSetting): Service {
  const { extends: _, ...service } = { ...given, name } as Fields
  if (service["pull_policy"] === "if_not_present") service["pull_policy"] = "missing"
  if (service["provider"] === undefined && service["network_mode"] === undefined)
    if (Object.keys(record(service["networks"])).length === 0) service["networks"] = { default: null }
  const build = service["build"]
  if (build !== undefined && record(build)["args"] !== undefined)
    service["build"] = { ...record(build), args: taken(record(record(build)["args"]), setting, false) }
  if (setting.keepEnvFiles !== true) {
    const files = (service["env_file"] ?? []) as unknown as NonNullable<Service["env_file"]>
    const own = taken(record(service["environment"]), setting, true)
    const environment = { ...fromEnvFiles(files, own, setting), ...own }
    if (Object.keys(environment).length > 0) service["environment"] = environment
    delete service["env_file"]
    const labelFiles = (service["label_file"] ?? []) as readonly string[]
    if (labelFiles.length > 0) {
      const labels = fromEnvFiles(
        labelFiles.map((path) => ({ path, required: true })),
        {},
        setting,
      )
      service["labels"] = { ...labels, ...record(service["labels"]) }
      delete service["label_file"]
    }
  } else if (service["environment"] !== undefined)
    service["environment"] = taken(record(service["environment"]), setting, true)
  const implied = impliedDependencies(service)
  const depends = { ...implied, ...record(service["depends_on"]) }
  if (Object.keys(depends).length > 0) service["depends_on"] = depends as Fields
  return service as unknown as Service
}

/** Names without a value take it from outside. */
function taken(fields: Fields, { environment }: NormalizeSetting, keep: boolean): Fields {
  const made: Fields = {}
  for (const [name, value] of Object.entries(fields)) {
    const resolved = value ?? environment.get(name)
    if (resolved !== undefined) made[name] = resolved
    else if (keep) made[name] = null
  }
  return made
}

function fromEnvFiles(
  files: readonly { readonly path: string; readonly required: boolean; readonly format?: string }[],
  own: Fields,
  { environment, files: disk }: NormalizeSetting,
): Fields {
  const made: Fields = {}
  for (const { path, required, format } of files) {
    const text = disk.read(path)
    if (text === undefined) {
      if (required) throw new DhowError("not-found", `env file ${path} not found`)
      continue
    }
    if (format !== undefined && format !== "raw")
      throw new DhowError("invalid", `unsupported env_file format "${format}"`, {
        hint: 'The only other format is "raw"',
      })
    const lookup = (name: string): string | undefined => {
      const value = own[name] ?? made[name]
      return typeof value === "string" ? value : environment.get(name)
    }
    const values = parseEnvFile(text, path, format === "raw" ? { lookup, format } : { lookup })
    for (const [name, value] of values) made[name] = value
  }
  return made
}

const started = (restart: boolean | undefined): Dependency =>
  ({ condition: "service_started", ...(restart === true ? { restart } : {}), required: true }) as const

/** Who shares something of another service needs it first. */
function impliedDependencies(service: Fields): Fields {
  const found: Record<string, Dependency> = {}
  const list = (name: string): readonly string[] => (service[name] ?? []) as readonly string[]
  for (const volume of list("volumes_from"))
    if (!volume.startsWith("container:")) found[volume.split(":", 1)[0]!] = started(undefined)
  for (const field of ["network_mode", "ipc", "pid", "uts", "cgroup"]) {
    const mode = service[field]
    if (typeof mode === "string" && mode.startsWith("service:")) found[mode.slice("service:".length)] = started(true)
  }
  for (const link of list("links")) found[link.split(":", 1)[0]!] = started(true)
  return found as unknown as Fields
}

/** Enabled services, and only what they use unless `all` is asked for. */
export function selectProfiles(project: Project, profiles: readonly string[], named: readonly string[]): Project {
  const enabled: Record<string, Service> = {}
  const disabled: Record<string, Service> = {}
  const isOn = (service: Service): boolean =>
    profiles.includes("*") ||
    service.profiles === undefined ||
    service.profiles.length === 0 ||
    service.profiles.some((profile) => profiles.includes(profile)) ||
    named.includes(service.name)
  for (const [name, service] of Object.entries(project.services)) (isOn(service) ? enabled : disabled)[name] = service
  return { ...project, services: enabled, disabled: { ...project.disabled, ...disabled } }
}

export function withoutUnused(project: Project): Project {
  const services = Object.values(project.services)
  const used = {
    networks: new Set(services.flatMap((service) => Object.keys(service.networks ?? {}))),
    volumes: new Set(
      services.flatMap((service) =>
        (service.volumes ?? []).flatMap(({ type, source }) =>
          type === "volume" && source !== undefined ? [source] : [],
        ),
      ),
    ),
    secrets: new Set(
      services.flatMap((service) =>
        [
          ...(service.secrets ?? []),
          ...((service.build as { secrets?: { source: string }[] } | undefined)?.secrets ?? []),
        ].map(({ source }) => source),
      ),
    ),
    configs: new Set(services.flatMap((service) => (service.configs ?? []).map(({ source }) => source))),
  }
  const only = <T>(section: Named<T>, names: ReadonlySet<string>): Named<T> =>
    Object.fromEntries(Object.entries(section).filter(([name]) => names.has(name)))
  return {
    ...project,
    networks: only(project.networks, used.networks),
    volumes: only(project.volumes, used.volumes),
    secrets: only(project.secrets, used.secrets),
    configs: only(project.configs, used.configs),
  }
}
