// dhow edit: a container's settings in the user's editor. What would change, and when it takes effect, is shown before
// anything is done; a form that cannot be used is opened again, with the reason on top.
import { readFileSync } from "node:fs"
import type { Client } from "../../../client/client.ts"
import { inspectContainer, updateContainer } from "../../../client/containers.ts"
import { DhowError } from "../../../lib/errors.ts"
import { isTerminal } from "../../../lib/syscalls/terminal.ts"
import type { ContainerInspect } from "../../../wire/container.ts"
import type { ContainerUpdateRequest, UpdateChange } from "../../../wire/update.ts"
import { defineCommand } from "../../command.ts"
import { boolean, string } from "../../flags/flags.ts"
import { print, printError, writeAll } from "../../output.ts"
import { ask } from "../../prompt.ts"
import { describeChanges } from "../update/describe.ts"
import { remind } from "../update/update.ts"
import { EditedFile } from "./editor.ts"
import { changesOf, type Form, parseForm, readForm, renderForm } from "./form.ts"

export const edit = defineCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Change the settings of a container in an editor",
  flags: {
    "dry-run": boolean("", "Say what would change and when it takes effect"),
    file: string("f", "Take the form from a file instead of an editor (- for standard input)", { value: "file" }),
    force: boolean("", "Take mounts away that are in use"),
    print: boolean("", "Print the form, and change nothing"),
    "restart-now": boolean("", "Restart the container where a change needs it"),
    yes: boolean("y", "Do not ask before the change"),
  },
  args: [1, 1],
  examples: ["dhow edit web", "dhow edit --print web > web.yaml", "dhow edit --file web.yaml --yes web"],
  async run({ client }, flags, [name = ""]) {
    const container = await inspectContainer(client, name)
    const form = readForm(container)
    const text = renderForm(form, titleOf(container))
    if (flags.print === true) {
      writeAll(1, text)
      return 0
    }
    const modifiers = flags.force === true ? { Force: true } : {}
    const found =
      flags.file === undefined
        ? await edited({ client, container, form, text, modifiers })
        : await planned({ client, container, form }, readForms(flags.file), modifiers)
    if (found === undefined || found.changes.length === 0) {
      print("Nothing is changed")
      return 0
    }
    for (const line of describeChanges(found.changes)) print(line)
    if (flags["dry-run"] === true) return 0
    const waits = found.changes.some(({ Effect }) => Effect === "restart" || Effect === "recreate")
    const choice = flags.yes === true ? "y" : await choose(waits && flags["restart-now"] !== true)
    if (choice === "n") {
      print("Nothing is changed")
      return 1
    }
    const restart = flags["restart-now"] === true || choice === "r" ? { RestartNow: true } : {}
    const answer = await updateContainer(client, name, { ...found.request, ...modifiers, ...restart })
    for (const warning of answer.Warnings ?? []) printError(`WARNING: ${warning}`)
    remind(name, answer)
    print(name)
    return 0
  },
})

type Subject = { readonly client: Client; readonly container: ContainerInspect; readonly form: Form }
type Found = { readonly request: ContainerUpdateRequest; readonly changes: readonly UpdateChange[] }

/** Undefined where the user gave up. */
async function edited(
  subject: Subject & { readonly text: string; readonly modifiers: ContainerUpdateRequest },
): Promise<Found | undefined> {
  const { text, container, modifiers } = subject
  using file = new EditedFile(`${container.Name.replace(/^\//, "")}.yaml`)
  let shown = text
  for (;;) {
    const given = await file.edit(shown)
    if (given === text) return undefined
    try {
      return await planned(subject, given, modifiers)
    } catch (error) {
      if (!(error instanceof DhowError) || !isTerminal(0) || given === shown) throw error
      shown = withComplaint(given, error)
    }
  }
}

async function planned(
  { client, container, form }: Subject,
  text: string,
  modifiers: ContainerUpdateRequest,
): Promise<Found | undefined> {
  const now = parseForm(text)
  if (now === undefined) return undefined
  const request = changesOf(form, now)
  if (Object.keys(request).length === 0) return undefined
  const { Changes = [] } = await updateContainer(client, container.Id, { ...request, ...modifiers, DryRun: true })
  return { request, changes: Changes }
}

const MARK = "#! "

function withComplaint(text: string, error: DhowError): string {
  const rest = text.split("\n").filter((line) => !line.startsWith(MARK))
  const words = [error.message, ...(error.hint === undefined ? [] : [error.hint])]
  return [...words.map((line) => `${MARK}${line}`), `${MARK}Save it unchanged to give up`, ...rest].join("\n")
}

function titleOf({ Name, Id, State }: ContainerInspect): string[] {
  return [
    `Container "${Name.replace(/^\//, "")}" (${Id.slice(0, 12)}), ${State.Status}`,
    "",
    "Change what you like and save; what would change is shown before it is done.",
    "A form that is empty or as it was changes nothing.",
  ]
}

function readForms(path: string): string {
  try {
    return readFileSync(path === "-" ? 0 : path, "utf8")
  } catch (cause) {
    throw new DhowError("invalid", `Cannot read the form "${path}"`, { cause })
  }
}

async function choose(waits: boolean): Promise<"y" | "n" | "r"> {
  if (!isTerminal(0))
    throw new DhowError("invalid", "Whether to do this cannot be asked: standard input is no terminal", {
      hint: "Say --yes",
    })
  const answer = await ask(waits ? "Do this? [y]es, yes and [r]estart, [N]o: " : "Do this? [y/N] ")
  return answer === "y" || answer === "yes" ? "y" : waits && (answer === "r" || answer === "restart") ? "r" : "n"
}
