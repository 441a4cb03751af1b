// From the facts to what is told. The rules are asked in order: what tells the most comes first, and what a program wrote
// explains an end only where nobody asked for it.
import { humanDuration } from "../../lib/human-duration.ts"
import type { ExitReport } from "../../wire/exit.ts"
import type { Finding, Why } from "../../wire/why.ts"
import type { Ended, Facts, Rule } from "./facts.ts"
import { asked } from "./rules/asked.ts"
import { diskFull, readOnly, refused } from "./rules/files.ts"
import { unhealthy } from "./rules/health.ts"
import { openFiles, processLimit } from "./rules/limits.ts"
import { outOfMemory } from "./rules/memory.ts"
import { mountRefused, mountUnmapped } from "./rules/mounts.ts"
import { output } from "./rules/output.ts"
import { nearMemoryLimit, refusedProcesses, throttled } from "./rules/running.ts"
import { byItself, noInput, restartLoop, wentToBackground } from "./rules/short.ts"
import { lost, signalled } from "./rules/signals.ts"
import { neverStarted, notStarted } from "./rules/starts.ts"

const OF_THE_END: readonly Rule<Ended>[] = [notStarted, outOfMemory, asked, lost]
/** Only where the program failed by itself. */
const OF_A_FAILURE: readonly Rule<Ended>[] = [
  processLimit,
  mountRefused,
  mountUnmapped,
  readOnly,
  diskFull,
  openFiles,
  output,
  refused,
  signalled,
]
const OF_SUCCESS: readonly Rule<Ended>[] = [noInput, wentToBackground]
const OF_A_RUN: readonly Rule[] = [unhealthy, nearMemoryLimit, refusedProcesses, throttled, mountRefused, mountUnmapped]

export function explain(facts: Facts, now = Date.now()): Why {
  const { last, running } = facts
  return {
    ContainerID: facts.id,
    Name: facts.name,
    Image: facts.image,
    Status: facts.status,
    Summary: summary(facts, now),
    Findings: findings(facts),
    ...(last === undefined ? {} : { Last: last }),
    Earlier: facts.earlier.map(({ FinishedAt, ExitCode, Signal, OOMKilled, Started, Usage }) => ({
      FinishedAt,
      ExitCode,
      ...(Signal === undefined ? {} : { Signal }),
      OOMKilled,
      Started,
      WallTime: Usage?.WallTime ?? 0,
    })),
    ...(facts.health === undefined ? {} : { Health: facts.health }),
    ...(running === undefined
      ? {}
      : {
          Running: {
            Since: running.since,
            Usage: running.usage,
            Limits: running.limits,
            LastLines: [...running.lines],
          },
        }),
  }
}

function findings(facts: Facts): Finding[] {
  if (facts.running !== undefined) return [...ask(OF_A_RUN, facts), ...ask([startedAgain], facts)]
  return hasEnded(facts) ? ofTheEnd(facts) : ask([neverStarted], facts)
}

/** It runs because it was started again by itself: what had ended it may do so once more. */
const startedAgain: Rule = (facts) => {
  if (!hasEnded(facts) || !(facts.last.WillRestart || wasForHealth(facts.last))) return undefined
  const [first] = ofTheEnd({ ...facts, running: undefined })
  const { ExitCode, RestartCount } = facts.last
  return {
    Code: "started-again",
    What: `It was started again after it had ended with ${ExitCode}${RestartCount > 0 ? `, as ${RestartCount} times before` : ""}`,
    Evidence: first === undefined ? [] : [first.What, ...first.Evidence],
    Fixes: first?.Fixes ?? [],
  }
}

function wasForHealth({ Asked }: ExitReport): boolean {
  return Asked?.By?.Kind === "engine" && Asked.By.Reason === "unhealthy"
}

function ofTheEnd(facts: Ended): Finding[] {
  const known = ask(OF_THE_END, facts)
  const loop = ask([restartLoop], facts)
  if (known.length > 0) return [...known, ...loop]
  const found = ask(facts.last.ExitCode === 0 ? OF_SUCCESS : OF_A_FAILURE, facts)
  return [...(found.length > 0 ? found : ask([byItself], facts)), ...loop]
}

function ask<F extends Facts>(rules: readonly Rule<F>[], facts: F): Finding[] {
  const found = rules.flatMap((rule) => rule(facts) ?? [])
  return found.filter(({ Code }, at) => found.findIndex((other) => other.Code === Code) === at)
}

function hasEnded(facts: Facts): facts is Ended {
  return facts.last !== undefined
}

function summary({ name, status, last, running, health }: Facts, now: number): string {
  const ago = (time: string): string =>
    `${humanDuration(Math.max(0, (now - Date.parse(time)) / 1000)).toLowerCase()} ago`
  if (running !== undefined) {
    const healthy =
      health === undefined ? "" : `, ${health.Status === "starting" ? "its health is not known yet" : health.Status}`
    return `${name} runs since ${ago(running.since)}${status === "paused" ? ", and is paused" : ""}${healthy}`
  }
  if (last === undefined) return status === "created" ? `${name} was never started` : `${name} is ${status}`
  if (!last.Started) return `${name} could not be started, ${ago(last.FinishedAt)}`
  const how = last.Signal === undefined ? String(last.ExitCode) : `${last.ExitCode} (${last.Signal})`
  const then = status === "removed" ? ", and was removed" : status === "restarting" ? ", and will be started again" : ""
  return `${name} ended ${ago(last.FinishedAt)} with ${how}${last.OOMKilled ? ", out of memory" : ""}${then}`
}
