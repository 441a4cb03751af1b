// dhow why: what happened to a container, in plain words, with the facts they follow from and what mends it.
import { explainContainer, explainContainerText } from "../../client/exits.ts"
import { indentJson } from "../../lib/exact-json.ts"
import type { LogLine } from "../../wire/exit.ts"
import type { Finding, Why } from "../../wire/why.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { writeAll } from "../output.ts"
import { timeAgo } from "../render/human.ts"
import { showObjects } from "../render/inspect.ts"
import { shownName } from "../render/names.ts"
import { usageText } from "../render/usage.ts"

export const why = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Explain how a container ended, or what holds it back",
  flags: {
    format: string("f", "Print each with a Go template, or 'json'"),
    json: boolean("", "Print everything that is known as JSON"),
    quiet: boolean("q", "Only print what is wrong and what mends it"),
  } as const,
  args: [1, Number.POSITIVE_INFINITY],
  examples: ["dhow why web", "dhow why --json web", "dhow why -f '{{(index .Findings 0).Code}}' web"],
  async run({ client }, flags, names) {
    const { format } = flags
    if (format !== undefined) return showObjects(names, format, (name) => explainContainerText(client, name))
    if (flags.json === true) {
      for (const name of names) writeAll(1, `${indentJson(await explainContainerText(client, name), "  ")}\n`)
      return 0
    }
    for (const [index, name] of names.entries()) {
      const text = render(await explainContainer(client, name), flags.quiet === true)
      writeAll(1, index === 0 ? text : `\n${text}`)
    }
    return 0
  },
})

function render(why: Why, quiet: boolean): string {
  const parts = [why.Findings.flatMap(findingLines)]
  if (!quiet) {
    const lines = why.Running?.LastLines ?? why.Last?.Detail?.LastLines ?? []
    if (lines.length > 0) parts.push(["It wrote last:", ...lines.map(lineText)])
    parts.push([...healthLines(why), ...usageLines(why), ...earlierLines(why)])
  }
  const blocks = parts.filter((block) => block.length > 0).map((block) => block.join("\n"))
  return `${[why.Summary, ...blocks].join("\n\n")}\n`
}

function findingLines({ What, Evidence, Fixes }: Finding): string[] {
  return [
    `  ${shown(What)}.`,
    ...Evidence.map((fact) => `    - ${shown(fact)}`),
    ...Fixes.flatMap(({ Text, Command }) =>
      Command === undefined ? [`    ${shown(Text)}.`] : [`    ${shown(Text)}:`, `        ${shown(Command)}`],
    ),
  ]
}

function lineText({ Stream, Text }: LogLine): string {
  return `  ${Stream === "stderr" ? "2>" : "1>"} ${shown(Text)}`
}

function healthLines({ Health }: Why): string[] {
  const checks = Health?.Log ?? []
  if (Health === undefined || checks.length === 0) return []
  return [`Health: ${Health.Status}; the last checks ended with ${checks.map(({ ExitCode }) => ExitCode).join(", ")}`]
}

function usageLines({ Last, Running }: Why): string[] {
  const usage = Running?.Usage ?? Last?.Usage
  return usage === undefined ? [] : [`${Running === undefined ? "Used" : "Used so far"}: ${usageText(usage)}`]
}

function earlierLines({ Earlier }: Why): string[] {
  if (Earlier.length === 0) return []
  const each = Earlier.slice(0, 5).map(({ FinishedAt, ExitCode, Started }) => {
    const how = Started ? `with ${ExitCode}` : "without a start"
    return `${how} ${timeAgo(Date.parse(FinishedAt) / 1000).toLowerCase()}`
  })
  return [`Before that it ended ${each.join(", ")}`]
}

/** What comes out of a container may hold anything, control sequences too. */
function shown(text: string): string {
  return text.replaceAll("\t", "    ").replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, shownName)
}
