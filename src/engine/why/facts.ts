// What is known of a container when somebody asks why: plain values, so that the rules can be tried on any of them.
import type { ContainerStatus } from "../../wire/container.ts"
import type { ExitReport, Health, Limits, LogLine, MountAccess, ProcessUser, Usage } from "../../wire/exit.ts"
import type { Finding } from "../../wire/why.ts"
import { word } from "./words.ts"

export type Facts = {
  readonly id: string
  readonly name: string
  readonly image: string
  readonly status: ContainerStatus | "removed"
  /** Of the last end; undefined where it never ended. */
  readonly last: ExitReport | undefined
  /** Newest first, without the last. */
  readonly earlier: readonly ExitReport[]
  readonly running: Running | undefined
  readonly health: Health | undefined
  readonly healthCommand: readonly string[]
  readonly healthAction: string
}

export type Running = {
  readonly since: string
  readonly usage: Partial<Usage>
  readonly limits: Limits
  readonly lines: readonly LogLine[]
  /** Only where something was refused. */
  readonly user?: ProcessUser | undefined
  readonly mounts?: readonly MountAccess[] | undefined
}

/** The facts of a container that has ended. */
export type Ended = Facts & { readonly last: ExitReport }

/** What explains the facts, or one side of them; undefined where it does not apply. */
export type Rule<F extends Facts = Facts> = (facts: F) => Finding | undefined

export function linesOf({ running, last }: Facts): readonly LogLine[] {
  return running?.lines ?? last?.Detail?.LastLines ?? []
}

/** Who it is to the files that are mounted; undefined where nothing was refused to it, or nobody looked. */
export function identityOf({
  running,
  last,
}: Facts): { readonly user: ProcessUser; readonly mounts: readonly MountAccess[] } | undefined {
  const { User: user, Mounts: mounts = [] } =
    running === undefined ? (last?.Detail ?? {}) : { User: running.user, Mounts: running.mounts }
  return user === undefined ? undefined : { user, mounts }
}

/** The command that runs it once more; with other flags, which only a new container can have, the dots stand for its own. */
export function again({ name, status, image }: Facts, flags = ""): string {
  if (flags === "") return status === "removed" ? `dhow run ... ${word(image)}` : `dhow start ${name}`
  return `dhow run ${flags} ... ${word(image)}`
}
