// A check that fails, and why.
import type { Rule } from "../facts.ts"
import { quoted, word } from "../words.ts"

export const unhealthy: Rule = ({ health, name, healthCommand, healthAction, running }) => {
  const last = health?.Log.at(-1)
  if (health === undefined || last === undefined || last.ExitCode === 0 || running === undefined) return undefined
  if (health.Status !== "unhealthy" && health.FailingStreak === 0) return undefined
  const isLate = last.Output.startsWith("Health check exceeded timeout")
  const isMissing = /executable file not found|not found|no such file/i.test(last.Output)
  return {
    Code: isLate ? "health-timeout" : isMissing ? "health-command" : "unhealthy",
    What: isLate
      ? "Its health check takes longer than it may"
      : isMissing
        ? "Its health check cannot be run: a program of it is not in the image"
        : `Its health check fails: ${health.FailingStreak} times in a row`,
    Evidence: [
      `The check: ${healthCommand.join(" ")}`,
      `The last one ended with ${last.ExitCode} at ${last.End}${last.Output.trim() === "" ? ", and wrote nothing" : `: ${quoted(last.Output)}`}`,
    ],
    Fixes: [
      { Text: "Run it by hand", Command: `dhow exec ${name} ${healthCommand.map(word).join(" ")}` },
      ...(isLate ? [{ Text: "Give it more time", Command: `dhow update --health-timeout 1m ${name}` }] : []),
      ...(health.Status === "unhealthy" && healthAction === "none"
        ? [{ Text: "Let the engine restart it", Command: `dhow update --health-action restart ${name}` }]
        : []),
    ],
  }
}
