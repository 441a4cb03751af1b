// What a command is: its words for the help, its flags as data, and what it does. Returns the exit status.
import type { Client } from "../client/client.ts"
import type { Flags, FlagValues } from "./flags/flags.ts"
import { UsageError } from "./flags/parse.ts"

export type Context = {
  readonly client: Client
  /** As the user typed it: "run", "container run". */
  readonly name: string
  /** What flags before a subcommand said. */
  readonly globals?: Readonly<Record<string, unknown>>
}

export type Command<F extends Flags = Flags> = {
  /** What follows the command's name: "[OPTIONS] IMAGE [COMMAND] [ARG...]". */
  readonly usage: string
  readonly summary: string
  readonly flags: F
  /** Least and most positional arguments. */
  readonly args: readonly [number, number]
  /** False: what follows the first positional argument belongs to the container. */
  readonly interspersed?: boolean
  readonly examples?: readonly string[]
  run(context: Context, flags: FlagValues<F>, args: readonly string[]): Promise<number>
}

/** A command whose flags' types are forgotten, for tables of commands. */
export type AnyCommand = Omit<Command, "run"> & {
  run(context: Context, flags: Readonly<Record<string, unknown>>, args: readonly string[]): Promise<number>
}

export function defineCommand<F extends Flags>(command: Command<F>): AnyCommand {
  // The parser gives exactly what `command.flags` describes, so the types hold where they are used.
  return command as unknown as AnyCommand
}

export type CommandGroup = "common" | "management" | "other"

export type CommandEntry = {
  readonly summary: string
  readonly group?: CommandGroup
  readonly hidden?: boolean
  /** Loaded when it is called: start-up evaluates only what is needed. */
  readonly load?: () => Promise<AnyCommand>
  readonly subcommands?: Readonly<Record<string, CommandEntry>>
  /** Gets its words as they are and finds its subcommands itself. */
  readonly dispatches?: boolean
}

export function checkArguments(command: AnyCommand, name: string, args: readonly string[]): void {
  const [least, most] = command.args
  if (args.length >= least && args.length <= most) return
  const plural = (count: number): string => `${count} argument${count === 1 ? "" : "s"}`
  const wanted =
    most === 0
      ? "accepts no arguments"
      : least === most
        ? `requires ${plural(least)}`
        : args.length < least
          ? `requires at least ${plural(least)}`
          : `requires at most ${plural(most)}`
  const error = new UsageError(`"dhow ${name}" ${wanted}`, `See: dhow ${name} --help`)
  throw Object.assign(error, { exitCode: 1 })
}
