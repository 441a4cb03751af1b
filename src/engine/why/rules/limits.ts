// Limits other than memory: processes, open files.
import { again, type Ended, type Rule } from "../facts.ts"
import { times } from "../words.ts"
import { lineWith } from "./output.ts"

const FORK =
  /can't fork|cannot fork|fork: (?:retry: )?resource temporarily unavailable|unable to create (?:new )?(?:native )?thread|pthread_create.*(?:failed|EAGAIN)|resource temporarily unavailable/i
const FILES = /too many open files|\bEMFILE\b|\bENFILE\b/i

export const processLimit: Rule<Ended> = (facts) => {
  const { last, name, status } = facts
  const line = lineWith(facts, FORK)
  const refused = last.Limits?.ProcessesRefused ?? 0
  if (refused === 0 && line === undefined) return undefined
  if (last.ExitCode === 0 && line === undefined) return undefined
  const limit = last.Limits?.ProcessLimit
  const more = limit === undefined ? 4096 : 4 * limit
  const evidence = [
    ...(line === undefined ? [] : [line]),
    ...(refused > 0
      ? [`The kernel refused it a process ${times(refused)}${limit === undefined ? "" : `; its limit is ${limit}`}`]
      : []),
    ...(last.Usage?.ProcessesPeak === undefined ? [] : [`It had at most ${last.Usage.ProcessesPeak} at once`]),
  ]
  if (refused === 0)
    return {
      Code: "process-ulimit",
      What: "It could not make a process or thread, and not for the limit of its container",
      Evidence: evidence,
      Fixes: [{ Text: "A limit of its user counts, over all containers", Command: again(facts, "--ulimit nproc=-1") }],
    }
  return {
    Code: "process-limit",
    What: `It may not have more processes: the limit is ${limit ?? "reached"}`,
    Evidence: evidence,
    Fixes: [
      status === "removed"
        ? { Text: "Allow more", Command: again(facts, `--pids-limit ${more}`) }
        : { Text: "Allow more", Command: `dhow update --pids-limit ${more} ${name}` },
      ...(last.Settings.Init
        ? []
        : [
            {
              Text: "Where processes that ended stay as zombies, an init takes them away",
              Command: again(facts, "--init"),
            },
          ]),
    ],
  }
}

export const openFiles: Rule<Ended> = (facts) => {
  const line = lineWith(facts, FILES)
  if (line === undefined) return undefined
  return {
    Code: "open-files",
    What: "It may not open more files",
    Evidence: [line],
    Fixes: [{ Text: "Allow more", Command: again(facts, "--ulimit nofile=65536:65536") }],
  }
}
