// Files to one merged tree: parse, put variables in, bring into the long form, apply extends and include, merge in order.
import { basename, dirname, isAbsolute, join } from "node:path"
import { DhowError } from "../lib/errors.ts"
import { Checker } from "./check.ts"
import { parseEnvFile } from "./env-file.ts"
import type { Files } from "./files.ts"
import { interpolate, type Lookup, TemplateError } from "./interpolate.ts"
import { userHome } from "./leaves.ts"
import { complete, merge } from "./merge.ts"
import { child, type Entry, type Mapping, mapScalars, type Node, pathText, textOf } from "./node.ts"
import { parseFile } from "./parse.ts"
import { Problems, problemAt } from "./problem.ts"
import { project as projectShape } from "./schema/project.ts"
import { service as serviceShape } from "./schema/service.ts"

export type LoadSetting = {
  readonly files: Files
  /** Where relative paths start. */
  readonly directory: string
  readonly lookup: Lookup
  /** Leave variables as they are. */
  readonly raw?: boolean
  /** Leave relative paths as they are. */
  readonly keepPaths?: boolean
  /** Told of a variable that is not set and has no default. */
  readonly onMissing?: (name: string) => void
}

/** Files that include one another, outermost first. */
type Chain = readonly string[]

export function loadTree(paths: readonly string[], setting: LoadSetting): Mapping {
  const problems = new Problems()
  const tree = new Loader(problems).merged(paths, setting, [])
  problems.throwIfAny()
  const done = complete(tree, projectShape, (node, field, path) =>
    problems.add(node.place, `${pathText(path)} needs "${field}"`),
  )
  problems.throwIfAny()
  return done as Mapping
}

class Loader {
  readonly #problems: Problems

  constructor(problems: Problems) {
    this.#problems = problems
  }

  merged(paths: readonly string[], setting: LoadSetting, chain: Chain): Node {
    let tree: Node | undefined
    for (const path of paths)
      for (const document of this.#documents(path, setting, setting.directory)) {
        const extended = this.#withExtends(document, path, setting)
        const whole = this.#withIncludes(extended, setting, [...chain, path])
        tree = tree === undefined ? whole : (merge(tree, whole, projectShape) ?? whole)
      }
    if (tree === undefined) throw new DhowError("invalid", `The compose file "${paths.join(", ")}" is empty`)
    return tree
  }

  /** The documents of a file, in their long form. */
  #documents(path: string, setting: LoadSetting, base: string): Mapping[] {
    const text = setting.files.read(path)
    if (text === undefined)
      throw new DhowError("not-found", `open ${path}: no such file or directory`, { exitCode: 14 })
    const found: Mapping[] = []
    for (const document of parseFile(text, shownPath(path))) {
      if (document.kind === "scalar" && document.value === null) continue
      if (document.kind !== "mapping") throw problemAt(document.place, "the file has to be a mapping")
      const filled = setting.raw === true ? document : this.#interpolated(document, setting)
      const checker = new Checker(this.#problems, {
        base: setting.keepPaths === true ? undefined : base,
        home: userHome(),
      })
      const made = checker.check(filled, projectShape)
      if (made?.kind === "mapping") found.push(made)
    }
    return found
  }

  #interpolated(node: Node, { lookup, onMissing }: LoadSetting): Node {
    return mapScalars(node, (scalar, path) => {
      if (typeof scalar.value !== "string" || !scalar.value.includes("$")) return scalar
      try {
        return { ...scalar, value: interpolate(scalar.value, lookup, onMissing) }
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error
        throw problemAt(scalar.place, `error while interpolating ${pathText(path)}: ${error.message}`, error.hint)
      }
    })
  }

  #withExtends(document: Mapping, path: string, setting: LoadSetting): Mapping {
    const services = child(document, "services")
    if (services?.kind !== "mapping") return document
    const entries = new Map<string, Entry>()
    for (const [name, entry] of services.entries)
      entries.set(name, { place: entry.place, node: this.#extended(name, services, { path, setting, chain: [] }) })
    return withField(document, "services", { ...services, entries })
  }

  #extended(
    name: string,
    services: Mapping,
    at: { readonly path: string; readonly setting: LoadSetting; readonly chain: readonly string[] },
  ): Node {
    const service = services.entries.get(name)!.node
    const given = child(service, "extends")
    const reference = textOf(child(given, "service"))
    if (service.kind !== "mapping" || given === undefined || given.tag === "reset" || reference === undefined)
      return service
    const key = `${at.path}:${name}`
    if (at.chain.includes(key))
      throw problemAt(
        given.place,
        `services.${name} extends itself: ${[...at.chain, key].map((one) => basename(one)).join(" -> ")}`,
      )
    const file = textOf(child(given, "file"))
    const path = file === undefined ? at.path : within(at.setting.directory, file)
    const setting = file === undefined ? at.setting : { ...at.setting, directory: dirname(path) }
    let from = services
    if (file !== undefined) {
      refuseRemote(file, given)
      const documents = this.#documents(path, setting, dirname(path))
      const found = documents
        .map((one) => child(one, "services"))
        .find((one) => one?.kind === "mapping" && one.entries.has(reference))
      if (found?.kind !== "mapping")
        throw problemAt(given.place, `cannot extend service "${name}": service "${reference}" not found in ${file}`)
      from = found
    }
    if (!from.entries.has(reference))
      throw problemAt(given.place, `cannot extend service "${name}": service "${reference}" not found`)
    const base = this.#extended(reference, from, { path, setting, chain: [...at.chain, key] })
    const merged = merge(base, service, serviceShape)
    return merged?.kind === "mapping" ? withoutField(merged, "extends") : service
  }

  #withIncludes(document: Mapping, setting: LoadSetting, chain: Chain): Mapping {
    const includes = child(document, "include")
    let whole = withoutField(document, "include")
    if (includes?.kind !== "sequence") return whole
    for (const include of includes.items) {
      const imported = this.#included(include, setting, chain)
      for (const section of ["services", "volumes", "networks", "secrets", "configs", "models"]) {
        const theirs = child(imported, section)
        if (theirs === undefined) continue
        const own = child(whole, section)
        // What this file says wins over what it includes.
        const both = own === undefined ? theirs : merge(theirs, own, projectShape.fields[section]!)
        if (both !== undefined) whole = withField(whole, section, both)
      }
    }
    return whole
  }

  #included(include: Node, setting: LoadSetting, chain: Chain): Node {
    const texts = (name: string): string[] => {
      const given = child(include, name)
      return given?.kind === "sequence" ? given.items.flatMap((item) => textOf(item) ?? []) : []
    }
    for (const path of texts("path")) refuseRemote(path, include)
    const paths = texts("path").map((path) => within(setting.directory, path))
    const [first] = paths
    if (first === undefined) throw problemAt(include.place, `include needs "path"`)
    if (chain.includes(first))
      throw problemAt(include.place, `include cycle: ${[...chain, first].map(shownPath).join(" -> ")}`)
    const given = textOf(child(include, "project_directory"))
    const directory = given === undefined ? dirname(first) : within(setting.directory, given)
    const environment = new Map<string, string>()
    const named = texts("env_file").filter((path) => path !== "/dev/null")
    const files =
      texts("env_file").length > 0 ? named.map((path) => within(setting.directory, path)) : [join(directory, ".env")]
    for (const file of files) {
      const text = setting.files.read(file)
      if (text === undefined && named.length > 0)
        throw problemAt(include.place, `the env file "${file}" does not exist`)
      const values = parseEnvFile(text ?? "", shownPath(file), {
        lookup: (name) => setting.lookup(name) ?? environment.get(name),
      })
      for (const [name, value] of values) environment.set(name, value)
    }
    // What the including project knows wins over the included one's file.
    const lookup: Lookup = (name) => setting.lookup(name) ?? environment.get(name)
    return this.merged(paths, { ...setting, directory, lookup, keepPaths: false }, chain)
  }
}

function refuseRemote(path: string, { place }: Node): void {
  if (/^(?:[a-z][a-z0-9+.-]*:\/\/|git@|oci:|github\.com\/)/.test(path))
    throw problemAt(place, `"${path}" is not on this machine`, "Only local files can be included and extended")
}

function within(base: string, path: string): string {
  return isAbsolute(path) ? path : join(base, path)
}

function shownPath(path: string): string {
  return path
}

function withField(node: Mapping, name: string, value: Node): Mapping {
  const place = node.entries.get(name)?.place ?? value.place
  return { ...node, entries: new Map([...node.entries, [name, { place, node: value }]]) }
}

function withoutField(node: Mapping, name: string): Mapping {
  return { ...node, entries: new Map([...node.entries].filter(([key]) => key !== name)) }
}
