// Ended because somebody wanted it: a client of the socket, or the engine itself.
import { signalName } from "../../../lib/signals.ts"
import type { Ask, Asker, ExitReport } from "../../../wire/exit.ts"
import type { Ended, Rule } from "../facts.ts"
import { again } from "../facts.ts"
import { quoted, span } from "../words.ts"

const SIGKILL = 9
/** A program that takes longer to end after a signal that it may ignore did not end of that signal. */
const SOON_MS = 15_000

/** Whether the end followed from what was asked. */
export function wasAsked({ Asked, ExitCode, FinishedAt }: ExitReport): boolean {
  if (Asked === undefined) return false
  if (Asked.Action !== "kill") return true
  if (ExitCode === 128 + Asked.Signal) return true
  // A signal that ends what does not catch it, and a program that caught it and ended in good order.
  return [1, 2, 3, 15].includes(Asked.Signal) && Date.parse(FinishedAt) - Date.parse(Asked.Time) < SOON_MS
}

export const asked: Rule<Ended> = (facts) => {
  const { last } = facts
  const ask = last.Asked
  if (ask === undefined || !wasAsked(last)) return undefined
  const { First: before } = ask
  // With no time between the two, the first one may still have been what ended it.
  const killed = ask.Signal === SIGKILL && last.ExitCode === 128 + SIGKILL && before !== undefined
  const waited = before === undefined ? 0 : Date.parse(ask.Time) - Date.parse(before.Time)
  const isDeaf = killed && before.Signal !== SIGKILL && waited >= 500
  const check = ask.By?.Kind === "engine" && ask.By.Reason === "unhealthy" ? last.Detail?.Health?.Log.at(-1) : undefined
  return {
    Code: codeOf(ask),
    What: sentence(ask),
    Evidence: [
      ...(check === undefined
        ? []
        : [
            `The last check ended with ${check.ExitCode}, and wrote ${check.Output.trim() === "" ? "nothing" : quoted(check.Output)}`,
          ]),
      signalSentence(killed || before === undefined ? ask : before, last),
      ...(isDeaf ? [`It had not ended ${span(waited * 1e6)} after ${nameOf(before.Signal)}, so it was killed`] : []),
    ],
    Fixes: [...(isDeaf ? deafFixes(facts) : []), ...reasonFixes(facts, ask)],
  }
}

const OF_THE_ENGINE = { "time-limit": "time-limit", unhealthy: "health-action", update: "updated" } as const

function codeOf({ Action, By }: Ask): string {
  if (By?.Kind === "engine") return OF_THE_ENGINE[By.Reason]
  return {
    stop: "stopped-by-client",
    kill: "killed-by-client",
    restart: "restarted-by-client",
    remove: "removed-by-client",
  }[Action]
}

function sentence({ Action, By, Signal }: Ask): string {
  if (By?.Kind === "engine") {
    if (By.Reason === "time-limit") return "The engine stopped it: its time limit was over"
    if (By.Reason === "update") return "The engine stopped it to start it anew: an update needed that"
    const how = Action === "kill" ? "killed" : Action === "restart" ? "restarted" : "stopped"
    return `The engine ${how} it: its health check had failed`
  }
  const did = {
    stop: "asked to stop it",
    kill: `sent it ${nameOf(Signal)}`,
    restart: "asked to restart it",
    remove: "removed it by force",
  }
  return `${whoText(By)} ${did[Action]}`
}

/** "docker of root (process 812)". */
export function whoText(by: Asker | undefined): string {
  if (by === undefined || by.Kind !== "client") return "A client of the engine"
  const user = by.User ?? `uid ${by.Uid}`
  const login = by.LoginUser === undefined ? "" : `, logged in as ${by.LoginUser}`
  const where = by.Container === undefined ? "" : ` in container ${by.Container.slice(0, 12)}`
  return `${by.Program ?? "A program"}${where} of ${user}${login} (process ${by.Pid})`
}

function signalSentence({ Signal, Time }: Pick<Ask, "Signal" | "Time">, { ExitCode, FinishedAt }: ExitReport): string {
  const after = Math.max(0, Date.parse(FinishedAt) - Date.parse(Time))
  return `${nameOf(Signal)} was sent at ${Time}; it ended ${span(after * 1e6)} later with exit code ${ExitCode}`
}

function nameOf(signal: number): string {
  return signalName(signal) ?? `signal ${signal}`
}

/** The first process of a container ignores every signal that it has no handler for. */
function deafFixes(facts: Ended): { Text: string; Command?: string }[] {
  const { last, name } = facts
  const longer = { Text: "Give it more time", Command: `dhow stop --timeout 60 ${name}` }
  const isShell = /^(?:\/bin\/|\/usr\/bin\/)?(?:ba|da|a|z)?sh$/.test(last.Command[0] ?? "") && last.Command[1] === "-c"
  if (isShell)
    return [
      {
        Text: "A shell in front of the program keeps the signal to itself: begin the last command with exec, or use the exec form of CMD",
      },
      longer,
    ]
  if (!last.Settings.Init)
    return [
      {
        Text: "As process 1 a program without a handler ignores the signal: run it with an init",
        Command: again(facts, "--init"),
      },
      longer,
    ]
  return [{ Text: "The program ignores the signal; --stop-signal names another one" }, longer]
}

function reasonFixes(facts: Ended, { By }: Ask): { Text: string; Command?: string }[] {
  if (By?.Kind !== "engine" || By.Reason === "update")
    return facts.status === "exited" ? [{ Text: "Start it again", Command: again(facts) }] : []
  if (By.Reason === "time-limit") {
    const changed = `dhow update --timeout 2h ${facts.name} && dhow start ${facts.name}`
    const isThere = facts.status !== "removed" && !facts.last.Settings.AutoRemove
    return [{ Text: "Give it more time", Command: isThere ? changed : again(facts, "--timeout 2h") }]
  }
  return [{ Text: "See what the check said", Command: `dhow inspect -f '{{json .State.Health}}' ${facts.name}` }]
}
