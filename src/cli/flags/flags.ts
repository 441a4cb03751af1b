// Flags as data, and the types of what parsing them gives. The names are the long names that users type.

export type FlagKind = "boolean" | "string" | "int" | "list" | "duration"

export type FlagSpec = {
  readonly kind: FlagKind
  readonly short?: string
  readonly help: string
  /** Word for the value in the help: "string", "list", "bytes". */
  readonly value?: string
  /** Shown in the help; the command itself applies it. */
  readonly default?: string
  readonly hidden?: boolean
  /** Another spelling of this flag. */
  readonly alias?: string
  /** Returns the value as it is to be kept, or throws what is wrong with it. */
  readonly check?: (value: string) => string
}

export type Flags = Readonly<Record<string, FlagSpec>>

type KindValues = {
  boolean: boolean | undefined
  string: string | undefined
  int: number | undefined
  /** Nanoseconds. */
  duration: number | undefined
  list: readonly string[]
}

export type FlagValues<F extends Flags> = { readonly [Name in keyof F]: KindValues[F[Name]["kind"]] }

type Extra = Omit<FlagSpec, "kind" | "help" | "short">

function flag<K extends FlagKind>(kind: K, short: string, help: string, extra: Extra): FlagSpec & { kind: K } {
  return { kind, help, ...(short === "" ? {} : { short }), ...extra }
}

export const boolean = (short: string, help: string, extra: Extra = {}): FlagSpec & { kind: "boolean" } =>
  flag("boolean", short, help, extra)
export const string = (short: string, help: string, extra: Extra = {}): FlagSpec & { kind: "string" } =>
  flag("string", short, help, extra)
export const int = (short: string, help: string, extra: Extra = {}): FlagSpec & { kind: "int" } =>
  flag("int", short, help, extra)
export const duration = (short: string, help: string, extra: Extra = {}): FlagSpec & { kind: "duration" } =>
  flag("duration", short, help, extra)
export const list = (short: string, help: string, extra: Extra = {}): FlagSpec & { kind: "list" } =>
  flag("list", short, help, extra)
