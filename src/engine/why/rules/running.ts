// It runs, and something holds it back.
import type { Rule } from "../facts.ts"
import { size, sizeFlag, span, times } from "../words.ts"

export const throttled: Rule = ({ running, name }) => {
  const { ThrottledTime: time = 0, CPUTime: used = 0, ThrottledPeriods: periods = 0 } = running?.usage ?? {}
  if (periods < 10 || time < used / 4) return undefined
  return {
    Code: "throttled",
    What: "Its CPU limit holds it back",
    Evidence: [`It used ${span(used)} of CPU and was kept waiting for ${span(time)}, in ${periods} periods`],
    Fixes: [{ Text: "Give it more", Command: `dhow update --cpus 2 ${name}` }],
  }
}

export const nearMemoryLimit: Rule = ({ running, name }) => {
  const { MemoryLimit: limit, MemoryLimitHits: hits = 0, OOMKills: kills = 0 } = running?.limits ?? {}
  if (limit === undefined || (kills === 0 && hits < 100)) return undefined
  return {
    Code: kills > 0 ? "oom-child" : "memory-pressure",
    What:
      kills > 0
        ? "The kernel killed processes of it at its memory limit, though not the first one"
        : "It lives at its memory limit, and is slow for it",
    Evidence: [`The limit is ${size(limit)}; it was reached ${times(hits)}, and ${kills} processes were killed`],
    Fixes: [
      {
        Text: "Give it more memory",
        Command: `dhow update --memory ${sizeFlag(2 * limit)} --memory-swap ${sizeFlag(4 * limit)} ${name}`,
      },
    ],
  }
}

export const refusedProcesses: Rule = ({ running, name }) => {
  const { ProcessesRefused: refused = 0, ProcessLimit: limit } = running?.limits ?? {}
  if (refused === 0 || limit === undefined) return undefined
  return {
    Code: "process-limit",
    What: `It may not have more than ${limit} processes, and wanted to`,
    Evidence: [`The kernel refused it a process ${times(refused)}`],
    Fixes: [{ Text: "Allow more", Command: `dhow update --pids-limit ${4 * limit} ${name}` }],
  }
}
