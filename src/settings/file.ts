// One configuration file, read: each key's value with its line, and what is passed over with the reason. A file that cannot
// be meant throws an error that names file, line, key, and what was expected.
import * as v from "valibot"
import { DhowError } from "../lib/errors.ts"
import { type Json, type Member, parsePlaced } from "../lib/json-places.ts"
import { DOCKER_KEYS, OLD_NAMES, OWN_PLACES } from "./docker-keys.ts"
import { KEYS } from "./keys.ts"

export type FileValue = { readonly value: unknown; readonly line: number }
export type PassedOver = { readonly key: string; readonly line: number; readonly reason: string }
export type ReadFile = {
  readonly values: ReadonlyMap<string, FileValue>
  readonly passedOver: readonly PassedOver[]
}

export const NO_FILE: ReadFile = { values: new Map(), passedOver: [] }

/** `whose`: Docker's file is read leniently, since it was written for another engine; its broken syntax still throws. */
export function readSettings(path: string, bytes: Uint8Array, whose: "dhow" | "docker"): ReadFile {
  const fail = (what: string, cause?: unknown): never => {
    throw new DhowError("invalid", `Configuration file "${path}"${what}`, cause === undefined ? {} : { cause })
  }
  const text = decode(bytes)
  // As dockerd: an empty file says nothing.
  if (text.trim() === "") return NO_FILE
  const { value, root } = place(text, fail)
  if (root.members === undefined) return fail(" is not a JSON object: expected {...}")
  const values = new Map<string, FileValue>()
  const passedOver: PassedOver[] = []
  for (const [name, member] of root.members) {
    const { line } = member
    const at = `, line ${line}: key "${name}"`
    const key = OLD_NAMES[name] ?? name
    const written = (value as Record<string, Json>)[name]!
    const given = name === "host-gateway-ip" ? [written] : written
    const known = KEYS[key]
    if (known === undefined) {
      const verdict = judge(key, given)
      if (verdict === undefined) continue
      if (whose === "dhow" && verdict.isError) fail(`${at}: ${verdict.reason}`)
      passedOver.push({ key: name, line, reason: verdict.reason })
    } else if (whose === "docker" && OWN_PLACES.has(key)) {
      passedOver.push({ key: name, line, reason: "Docker's own place, which two engines must not share" })
    } else if (values.has(key)) fail(`${at}: the same as "${key}", which is given too`)
    else {
      const problem = problemWith(known.shape, given)
      if (problem === undefined) values.set(key, { value: given, line })
      else if (whose === "docker") passedOver.push({ key: name, line, reason: problem.said })
      else
        fail(
          `, line ${lineOf(text, member, problem.path)}: key "${[name, ...problem.path].join(".")}": ${problem.said}`,
        )
    }
  }
  return { values, passedOver }
}

/** What is wrong with a value, in a word; undefined where nothing is. */
export function problemWith(
  shape: v.GenericSchema,
  value: unknown,
): { readonly path: readonly string[]; readonly said: string } | undefined {
  const result = v.safeParse(shape, value)
  if (result.success) return undefined
  const [issue] = result.issues
  const path = (issue.path ?? []).map(({ key }) => String(key))
  const isUnknown = issue.type === "strict_object" && issue.expected === "never"
  if (isUnknown) return { path, said: "unknown key" }
  const said = issue.message.startsWith("expected") ? issue.message : `expected ${issue.expected ?? "something else"}`
  return { path, said: issue.received === "undefined" ? said : `${said}, found ${short(issue.input)}` }
}

function judge(key: string, value: Json): { readonly reason: string; readonly isError: boolean } | undefined {
  const docker = Object.hasOwn(DOCKER_KEYS, key) ? DOCKER_KEYS[key] : undefined
  if (docker === undefined) return { reason: "unknown key", isError: true }
  if (docker.holds?.(value) === true) return undefined
  return { reason: docker.reason, isError: docker.refused === true }
}

function place(text: string, fail: (what: string, cause?: unknown) => never): ReturnType<typeof parsePlaced> {
  try {
    return parsePlaced(text)
  } catch (error) {
    return fail(`, ${(error as Error).message}`)
  }
}

function lineOf(text: string, member: Member, path: readonly string[]): number {
  let at = member
  for (const name of path) {
    const inner = at.members?.get(name)
    if (inner === undefined) break
    at = inner
  }
  return text.slice(0, at.keyStart).split("\n").length
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing"
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/** UTF-8, or what the file's byte order mark says: editors of Windows write one. */
export function decode(bytes: Uint8Array): string {
  const isWide = bytes[0] === 0xff && bytes[1] === 0xfe
  return new TextDecoder(isWide ? "utf-16le" : "utf-8").decode(bytes)
}
