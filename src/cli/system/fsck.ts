// dhow fsck: verifies everything that is stored, names what is damaged and who needs it, and with --repair fetches it
// again. Ends with 0 when all is well, 1 when something stays damaged.
import { checkStore } from "../../client/system.ts"
import { checkedBy, parseBytes } from "../../lib/size.ts"
import type { FsckFinding, FsckProgress, FsckSummary } from "../../wire/fsck.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { print, printError, writeAll } from "../output.ts"
import { humanSize } from "../render/human.ts"

export const fsck = defineCommand({
  usage: "[OPTIONS]",
  summary: "Verify everything that is stored",
  flags: {
    format: string("", "'json' for a line of JSON per finding, and one for the count", { check: onlyJson }),
    "limit-rate": string("", "Read no more than so many bytes a second (20m)", {
      value: "bytes",
      check: checkedBy(parseBytes),
    }),
    quiet: boolean("q", "Only print what is damaged"),
    repair: boolean("", "Fetch again and make anew what is damaged, where it can be done exactly"),
  } as const,
  args: [0, 0],
  examples: ["dhow fsck", "dhow fsck --limit-rate 50m", "dhow fsck --repair"],
  async run({ client }, flags) {
    const rate = flags["limit-rate"]
    const json = flags.format === "json"
    const progress = progressLine(!json && flags.quiet !== true && process.stderr.isTTY === true)
    let summary: FsckSummary | undefined
    for await (const line of await checkStore(client, {
      repair: flags.repair === true,
      ...(rate === undefined ? {} : { rate: parseBytes(rate) }),
    })) {
      if ("error" in line) {
        progress.clear()
        printError(`Error: ${line.error}`)
        return 1
      }
      if (line.kind === "progress") progress.show(line)
      else {
        progress.clear()
        if (json) print(JSON.stringify(line))
        else if (line.kind === "finding") showFinding(line, flags.quiet === true)
      }
      if (line.kind === "summary") summary = line
    }
    progress.clear()
    if (summary === undefined) {
      printError("Error: the check ended early")
      return 1
    }
    if (!json && flags.quiet !== true) print(sentence(summary))
    return summary.damaged === 0 ? 0 : 1
  },
})

function onlyJson(value: string): string {
  if (value !== "json") throw new Error(`invalid format "${value}": expected json`)
  return value
}

function showFinding({ severity, object, problem, images, containers, repair }: FsckFinding, isQuiet: boolean): void {
  if (isQuiet && severity === "note") return
  const word = severity === "note" ? "note" : repair?.done === true ? "repaired" : "damaged"
  print(`${word}: ${object}: ${problem}`)
  if (images.length > 0) print(`  images: ${images.join(", ")}`)
  if (containers.length > 0) print(`  containers: ${containers.join(", ")}`)
  if (repair !== undefined) print(`  ${repair.done ? "" : "not repaired: "}${repair.text}`)
}

function sentence(summary: FsckSummary): string {
  const { blobs, bytes, layers, images, containers, volumes, seconds, damaged, repaired, notes } = summary
  const what = [count(blobs, "blob"), count(layers, "layer"), count(images, "image")]
  const more = `${count(containers, "container")} and ${count(volumes, "volume")}`
  const read = `Checked ${what.join(", ")}, ${more}: ${humanSize(bytes)} in ${seconds.toFixed(1)} s`
  const found = [
    ...(damaged > 0 ? [`${damaged} damaged`] : []),
    ...(repaired > 0 ? [`${repaired} repaired`] : []),
    ...(notes > 0 ? [count(notes, "note")] : []),
  ]
  return `${read}\n${damaged + repaired === 0 ? ["All is well", ...found].join(", ") : found.join(", ")}`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`
}

function progressLine(isShown: boolean) {
  let isThere = false
  return {
    show({ object, done, total }: FsckProgress): void {
      if (!isShown) return
      const share = total > 0 ? Math.min(100, Math.floor((done * 100) / total)) : 100
      writeAll(2, `\r\x1b[K${share}% of ${humanSize(total)}: ${object.slice(0, 40)}`)
      isThere = true
    },
    clear(): void {
      if (isThere) writeAll(2, "\r\x1b[K")
      isThere = false
    },
  }
}
