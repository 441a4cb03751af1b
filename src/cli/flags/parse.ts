// Reads a command line as docker's flag library does: -itd, -p8080:80, -eA=b, --init=false, "--"; and, where a command
// says so, nothing after the first positional argument is a flag.

import { parseDuration } from "../../lib/duration.ts"
import { DhowError } from "../../lib/errors.ts"
import { nearest } from "../../lib/suggest.ts"
import type { FlagSpec, Flags, FlagValues } from "./flags.ts"

export type Parsed<F extends Flags> = {
  readonly flags: FlagValues<F>
  readonly args: readonly string[]
  readonly help: boolean
}

/** A command line that cannot be understood; docker ends with 125 for those. */
export class UsageError extends DhowError {
  constructor(message: string, hint?: string) {
    super("invalid", message, { exitCode: 125, ...(hint === undefined ? {} : { hint }) })
  }
}

type Values = Record<string, unknown>

export function parseFlags<F extends Flags>(
  specs: F,
  argv: readonly string[],
  options: { readonly interspersed?: boolean } = {},
): Parsed<F> {
  const values: Values = {}
  for (const [name, spec] of Object.entries(specs)) values[name] = spec.kind === "list" ? [] : undefined
  const args: string[] = []
  let help = false
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!
    if (word === "--") {
      args.push(...argv.slice(index + 1))
      break
    }
    if (!word.startsWith("-") || word === "-") {
      if (options.interspersed === false) {
        args.push(...argv.slice(index))
        break
      }
      args.push(word)
    } else if (word.startsWith("--")) {
      if (word === "--help" && specs["help"] === undefined) help = true
      else index += parseLong(specs, values, word, argv[index + 1])
    } else if (word === "-h" && !Object.values(specs).some((spec) => spec.short === "h")) help = true
    else index += parseShorts(specs, values, word, argv[index + 1])
  }
  return { flags: values as FlagValues<F>, args, help }
}

/** Returns how many of the following words were taken. */
function parseLong(specs: Flags, values: Values, word: string, next: string | undefined): number {
  const equals = word.indexOf("=")
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals)
  if (name === "" || name.startsWith("-")) throw new UsageError(`bad flag syntax: ${word}`)
  const spec = Object.hasOwn(specs, name) ? specs[name] : undefined
  if (spec === undefined) {
    const near = nearest(name, visibleNames(specs))
    throw new UsageError(`unknown flag: --${name}`, near === undefined ? undefined : `Did you mean "--${near}"?`)
  }
  if (equals >= 0) {
    assign(specs, values, name, word.slice(equals + 1))
    return 0
  }
  if (spec.kind === "boolean") {
    assign(specs, values, name, "true")
    return 0
  }
  if (next === undefined) throw new UsageError(`flag needs an argument: --${name}`)
  assign(specs, values, name, next)
  return 1
}

function parseShorts(specs: Flags, values: Values, word: string, next: string | undefined): number {
  for (let at = 1; at < word.length; at++) {
    const letter = word[at]!
    const found = Object.entries(specs).find(([, spec]) => spec.short === letter)
    if (found === undefined) throw new UsageError(`unknown shorthand flag: '${letter}' in -${word.slice(at)}`)
    const [name, spec] = found
    const rest = word.slice(at + 1)
    if (rest.startsWith("=") && rest.length > 1) {
      assign(specs, values, name, rest.slice(1))
      return 0
    }
    if (spec.kind === "boolean") {
      assign(specs, values, name, "true")
      continue
    }
    if (rest !== "") {
      assign(specs, values, name, rest)
      return 0
    }
    if (next === undefined) throw new UsageError(`flag needs an argument: '${letter}' in -${word.slice(at)}`)
    assign(specs, values, name, next)
    return 1
  }
  return 0
}

function assign(specs: Flags, values: Values, given: string, text: string): void {
  const name = specs[given]!.alias ?? given
  const spec = specs[name]!
  try {
    const value = spec.check === undefined ? text : spec.check(text)
    if (spec.kind === "list") (values[name] as string[]).push(value)
    else values[name] = convert(spec, value)
  } catch (error) {
    const shown = spec.short === undefined ? `--${name}` : `-${spec.short}, --${name}`
    throw new UsageError(
      `invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${error instanceof Error ? error.message : error}`,
      error instanceof DhowError ? error.hint : undefined,
    )
  }
}

function convert(spec: FlagSpec, text: string): string | number | boolean {
  switch (spec.kind) {
    case "boolean":
      if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true
      if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false
      throw new Error(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
    case "int":
      if (!/^[+-]?\d+$/.test(text)) throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
      if (!Number.isSafeInteger(Number(text)))
        throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`)
      return Number(text)
    case "duration":
      return parseDuration(text)
    case "string":
    case "list":
      return text
    default:
      return spec.kind satisfies never
  }
}

function visibleNames(specs: Flags): string[] {
  return Object.entries(specs)
    .filter(([, spec]) => spec.hidden !== true)
    .map(([name]) => name)
}
