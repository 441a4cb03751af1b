// The configuration of a daemon that runs: what holds now, read again whenever a file has changed, on SIGHUP and on request.
// A reading that fails changes nothing.
import { chmodSync, readFileSync, realpathSync, statSync } from "node:fs"
import { dirname } from "node:path"
import type { Config } from "../config.ts"
import { DhowError, describeError, errnoName } from "../lib/errors.ts"
import { ensureDirectory, writeDurably } from "../lib/files.ts"
import { log } from "../lib/log.ts"
import type { ConfigChange, ConfigEdit, ConfigReload, ConfigReport } from "../wire/config.ts"
import { planChanges, same, whyItStays } from "./changes.ts"
import { setMember, unsetMember } from "./edit.ts"
import { decode } from "./file.ts"
import { KEYS } from "./keys.ts"
import { buildPlaced, gatherChecked } from "./load.ts"
import { masked } from "./masked.ts"
import type { Gathered, Settings, Sources } from "./sources.ts"
import { versionOf, watchFiles } from "./watch.ts"

/** What the daemon does with a change. */
export type Effects = {
  /** Containers on the default bridge. */
  readonly bridgeUsers: () => number
  /** Called with what holds now. Resolves with the keys that could not be followed, and why: they stay as they were. */
  readonly apply: (config: Config, keys: ReadonlySet<string>) => Promise<ReadonlyMap<string, string>>
  /** After a reading that was asked for, or that changed something. */
  readonly reloaded: () => void
}

export class LiveConfig {
  readonly #sources: Sources
  readonly #check: (config: Config) => void
  #gathered: Gathered
  #effective: Settings
  #config: Config
  /** Why a key is not what the sources say. */
  #pending: ReadonlyMap<string, string> = new Map()
  #problem: string | undefined
  #seen: string
  #effects: Effects | undefined
  #applied: Promise<void> = Promise.resolve()
  readonly #view: Config

  /** `check` as of buildPlaced(). */
  constructor(sources: Sources, check: (config: Config) => void = () => {}) {
    this.#sources = sources
    this.#check = check
    this.#seen = this.#versions()
    this.#gathered = gatherChecked(sources, check)
    this.#effective = this.#gathered.settings
    this.#config = this.#build(this.#effective)
    this.#view = viewOf(() => this.#config)
    this.#sayPassedOver()
  }

  /** Always what holds now. */
  get view(): Config {
    return this.#view
  }

  /** From here on changes are acted upon. The result ends the watching. */
  follow(effects: Effects): () => void {
    this.#effects = effects
    const { file, dockerFile } = this.#sources
    return watchFiles(dockerFile === "" ? [file] : [file, dockerFile], () => this.refresh())
  }

  /** Reads again where a file has changed. Cheap where none has: two status calls. */
  refresh(): void {
    const now = this.#versions()
    if (now === this.#seen) return
    this.#seen = now
    try {
      if (this.#take(gatherChecked(this.#sources, this.#check)).length > 0) this.#effects?.reloaded()
    } catch (error) {
      this.#problem = describeError(error)
      log.error("The configuration stays as it was", { error: this.#problem })
    }
  }

  /** Throws what is wrong with the files; nothing has changed then. */
  async reload({ dryRun = false } = {}): Promise<ConfigReload> {
    if (dryRun) return this.#plan(gatherChecked(this.#sources, this.#check))
    this.#seen = this.#versions()
    let changes: readonly ConfigChange[]
    try {
      changes = this.#take(gatherChecked(this.#sources, this.#check))
    } catch (error) {
      this.#problem = describeError(error)
      throw error
    }
    this.#effects?.reloaded()
    await this.#applied
    return this.#answer(changes, false)
  }

  /** Changes dhow's own file, if what it would say then can be meant, and takes it. */
  async edit({ Set: set = {}, Unset: unset = [] }: ConfigEdit, { dryRun = false } = {}): Promise<ConfigReload> {
    const { file } = this.#sources
    const before = textOf(file)
    let text = before
    for (const name of unset) text = unsetMember(text, pathOf(name))
    for (const [name, value] of Object.entries(set)) text = setMember(text, pathOf(name), value)
    const after = gatherChecked(this.#sources, this.#check, new TextEncoder().encode(text))
    refuseMoves(this.#effective, after.settings)
    const overruled = [...Object.keys(set), ...unset].flatMap((name) => this.#overruled(after, pathOf(name)[0] ?? ""))
    if (dryRun) return { ...this.#plan(after), Problems: overruled }
    if (text !== before) write(file, text)
    const result = await this.reload()
    return { ...result, Problems: [...result.Problems, ...overruled] }
  }

  report(): ConfigReport {
    const { file, dockerFile } = this.#sources
    return {
      File: file,
      DockerFile: dockerFile,
      Keys: Object.entries(KEYS).map(([Key, { takes, summary, fallback }]) => {
        const setting = this.#effective.get(Key)
        const reason = this.#pending.get(Key)
        return {
          Key,
          Value: masked(Key, setting?.value ?? null),
          Default: fallback ?? null,
          Origins: setting?.origins ?? [{ Kind: "default" }],
          Takes: takes,
          Summary: summary,
          ...(reason === undefined
            ? {}
            : { Pending: { Value: masked(Key, this.#gathered.settings.get(Key)?.value ?? null), Reason: reason } }),
        }
      }),
      PassedOver: this.#passedOver(this.#gathered),
      Problems: this.#problems(),
    }
  }

  #take(gathered: Gathered): readonly ConfigChange[] {
    // What was wanted is checked whole, and then what comes of it where keys stay.
    this.#build(gathered.settings)
    const plan = planChanges(this.#effective, gathered.settings, { bridgeUsers: this.#effects?.bridgeUsers() ?? 0 })
    const config = this.#build(plan.effective)
    const before = this.#effective
    const news = plan.changes.filter(({ Key, To }) => !same(this.#gathered.settings.get(Key)?.value, To))
    this.#gathered = gathered
    this.#effective = plan.effective
    this.#pending = plan.pending
    this.#config = config
    this.#problem = undefined
    const keys = new Set(
      plan.changes.flatMap(({ Key, Effect }) => (plan.pending.has(Key) || Effect === "refused" ? [] : Key)),
    )
    for (const { Key, Effect, Reason } of news)
      log.info("The configuration has changed", {
        key: Key,
        effect: Effect,
        ...(Reason === undefined ? {} : { reason: Reason }),
      })
    if (keys.size > 0) {
      this.#sayPassedOver()
      // One after the other: two changes of the addresses must not meet.
      this.#applied = this.#applied.then(() => this.#apply(keys, before))
    }
    return plan.changes
  }

  async #apply(keys: ReadonlySet<string>, before: Settings): Promise<void> {
    const failed = await this.#effects?.apply(this.#config, keys)
    if (failed === undefined || failed.size === 0) return
    const effective = new Map(this.#effective)
    for (const [key, reason] of failed) {
      log.error("A change of the configuration could not be made", { key, error: reason })
      const old = before.get(key)
      if (old === undefined) effective.delete(key)
      else effective.set(key, old)
    }
    this.#effective = effective
    this.#config = this.#build(effective)
    this.#pending = new Map([...this.#pending, ...failed])
  }

  #build(settings: Settings): Config {
    return buildPlaced(settings, this.#sources, this.#check)
  }

  #plan(gathered: Gathered): ConfigReload {
    this.#build(gathered.settings)
    const { changes } = planChanges(this.#effective, gathered.settings, {
      bridgeUsers: this.#effects?.bridgeUsers() ?? 0,
    })
    return { ...this.#answer(changes, true), PassedOver: this.#passedOver(gathered) }
  }

  #answer(changes: readonly ConfigChange[], dryRun: boolean): ConfigReload {
    return {
      DryRun: dryRun,
      Changes: changes.map((change) => ({
        ...change,
        // What was found out only by trying.
        ...(change.Effect === "now" && this.#pending.has(change.Key) && !dryRun
          ? { Effect: "refused" as const, Reason: this.#pending.get(change.Key) ?? "" }
          : {}),
        From: masked(change.Key, change.From),
        To: masked(change.Key, change.To),
      })),
      PassedOver: this.#passedOver(this.#gathered),
      Problems: dryRun ? [] : this.#problems(),
    }
  }

  #overruled({ settings }: Gathered, key: string): string[] {
    const origin = settings.get(key)?.origins.at(-1)
    if (origin?.Kind !== "flag" && origin?.Kind !== "environment") return []
    return [`"${key}" is given by ${origin.Name}, which stands before the file`]
  }

  #problems(): readonly string[] {
    return [this.#problem, this.#gathered.problem].filter((problem) => problem !== undefined)
  }

  #passedOver({ passedOver }: Gathered): ConfigReport["PassedOver"] {
    return passedOver.map(({ key, file, line, reason }) => ({ Key: key, File: file, Line: line, Reason: reason }))
  }

  #sayPassedOver(): void {
    const { passedOver, problem } = this.#gathered
    for (const { key, file, line, reason } of passedOver)
      log.warn(`A key of the configuration has no effect: ${reason}`, { key, file, line })
    if (problem !== undefined) log.error("Docker's configuration is passed over", { error: problem })
  }

  #versions(): string {
    const { file, dockerFile } = this.#sources
    return `${versionOf(file)}\n${dockerFile === "" ? "" : versionOf(dockerFile)}`
  }
}

/** Written, such a key would make the next daemon begin with nothing. */
function refuseMoves(now: Settings, after: Settings): void {
  for (const [key, { takes }] of Object.entries(KEYS)) {
    const [from, to] = [now.get(key)?.value, after.get(key)?.value]
    if (takes === "move" && !same(from, to))
      throw new DhowError("conflict", `"${key}" cannot change while the daemon runs: ${whyItStays(key, from, to)}`)
  }
}

/** An object of getters: whoever asks for a value gets the one of that moment. */
function viewOf(current: () => Config): Config {
  const view = {}
  for (const name of Object.keys(current()) as (keyof Config)[])
    Object.defineProperty(view, name, { get: () => current()[name], enumerable: true })
  return view as Config
}

function pathOf(name: string): readonly string[] {
  const path = name.split(".")
  // Hosts and prefixes have dots in them: what stands behind the second belongs to the name.
  const parts = path[0] === "registries" && path.length > 3 ? [...path.slice(0, 2), path.slice(2).join(".")] : path
  if (parts.some((part) => part === "")) throw new DhowError("invalid", `"${name}" is no key of the configuration`)
  if (!Object.hasOwn(KEYS, parts[0] ?? ""))
    throw new DhowError("invalid", `"${parts[0]}" is no key of the configuration`, { hint: "See dhow config" })
  return parts
}

function textOf(file: string): string {
  try {
    return decode(readFileSync(file))
  } catch (error) {
    if (errnoName(error) === "ENOENT") return ""
    throw error
  }
}

function write(file: string, text: string): void {
  ensureDirectory(dirname(file), 0o755)
  const there = statSync(file, { throwIfNoEntry: false })
  // A link stays one: what it leads to is replaced.
  const target = there === undefined ? file : realpathSync(file)
  writeDurably(target, text, 0o644)
  if (there !== undefined) chmodSync(target, there.mode & 0o7777)
}
