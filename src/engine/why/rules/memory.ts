// The kernel killed for want of memory: at the container's limit, or because the host had none left.
import { again, type Ended, type Rule } from "../facts.ts"
import { size, sizeFlag, times } from "../words.ts"

export const outOfMemory: Rule<Ended> = (facts) => {
  const { last, name, status } = facts
  if (!last.OOMKilled) return undefined
  const { MemoryLimit: limit, MemoryLimitHits: hits = 0, OOMKills: kills = 0 } = last.Limits ?? { OOMKills: 0 }
  const peak = last.Usage?.MemoryPeak
  const atLimit = limit !== undefined && (hits > 0 || (peak !== undefined && peak >= 0.9 * limit))
  const evidence = [
    ...(kills > 0 ? [`Processes of it that the kernel killed: ${kills}`] : []),
    ...(peak === undefined
      ? []
      : [`Peak of its memory: ${size(peak)}${limit === undefined ? ", without a limit" : ` of ${size(limit)}`}`]),
    ...(hits > 0 ? [`It reached the limit ${times(hits)}`] : []),
    ...(last.ExitCode === 137
      ? []
      : [`Its first process lived on and ended with ${last.ExitCode}: a child of it was killed`]),
  ]
  if (!atLimit)
    return {
      Code: "oom-host",
      What: "The kernel killed it because the host was out of memory",
      Evidence: evidence,
      Fixes: [
        { Text: "See what the kernel says of it", Command: "dmesg -T | grep -i 'out of memory'" },
        { Text: "See what takes the memory", Command: "dhow stats --no-stream" },
        { Text: "Bound what may grow, so that the kernel does not choose", Command: again(facts, "--memory 1g") },
      ],
    }
  const more = sizeFlag(2 * limit)
  return {
    Code: "oom-limit",
    What: `The kernel killed it at its memory limit of ${size(limit)}`,
    Evidence: evidence,
    Fixes: [
      status === "removed" || last.Settings.AutoRemove
        ? { Text: "Run it with more memory", Command: again(facts, `--memory ${more}`) }
        : {
            Text: "Give it more memory",
            Command: `dhow update --memory ${more} --memory-swap ${sizeFlag(4 * limit)} ${name} && dhow start ${name}`,
          },
      { Text: "Or let the program use less: JVM -XX:MaxRAMPercentage, node --max-old-space-size, fewer workers" },
    ],
  }
}
