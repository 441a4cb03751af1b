// `top`: the host's ps, and of its lines those whose process belongs to the container.
import { DhowError } from "../../lib/errors.ts"
import type { ContainerTop } from "../../wire/container.ts"
import { attributesOf } from "./attributes.ts"
import type { ContainerParts } from "./parts.ts"
import { isRunning } from "./record.ts"
import { runtimeOf } from "./runtime.ts"
import { notRunning } from "./stop.ts"

const PS_PATIENCE = 10_000

export async function topContainer(
  parts: ContainerParts,
  reference: string,
  psArguments: string,
): Promise<ContainerTop> {
  const { record, state } = parts.store.resolve(reference)
  const psText = psArguments || "-ef"
  refuseForeignPid(psText)
  if (state.status === "restarting")
    throw new DhowError("conflict", `Container ${record.id} is restarting, wait until the container is running`)
  if (!isRunning(state)) throw notRunning(record.id)
  const words = psText.split(/\s+/).filter((word) => word !== "")
  const wanted = await runtimeOf(parts, record).processes(record.id)
  // Some options of ps, such as f, do not go together with a list of processes.
  let outcome = await ps([...words, `-q${wanted.join(",")}`])
  if (outcome.status !== 0) outcome = await ps(words)
  const { status, output, message } = outcome
  if (status !== 0) throw new DhowError("invalid", `ps: ${message.trim().split("\n")[0] || `exit status ${status}`}`)
  const found = selectProcesses(output, new Set(wanted))
  parts.events.emit("container", "top", record.id, attributesOf(record))
  return found
}

/** Throws where the host has none. */
async function ps(args: readonly string[]): Promise<{ status: number; output: string; message: string }> {
  if (Bun.which("ps") === null)
    throw new DhowError("unavailable", 'Cannot list processes: the program "ps" is not installed', {
      hint: "Install the Debian package procps",
    })
  const child = Bun.spawn(["ps", ...args], { stdin: "ignore", stdout: "pipe", stderr: "pipe", timeout: PS_PATIENCE })
  const [status, output, message] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { status, output, message }
}

/** The column PID is how lines are told to be the container's: no other column may have that name. */
export function refuseForeignPid(psText: string): void {
  for (const [, column = "", title = ""] of psText.matchAll(/\s+(\S*)=\s*(PID\S*)/g))
    if (column !== "pid") throw new DhowError("invalid", `specifying "${column}=${title}" is not allowed`)
}

/** The columns of ps's output; the last one takes the rest of the line. */
export function selectProcesses(output: string, wanted: ReadonlySet<number>): ContainerTop {
  const [head = "", ...lines] = output.split("\n")
  const titles = head.trim().split(/\s+/)
  const column = titles.indexOf("PID")
  if (column < 0) throw new DhowError("invalid", "Couldn't find PID field in ps output")
  const processes: string[][] = []
  let isOurs = false
  for (const line of lines) {
    const fields = line.trim().split(/\s+/)
    if (fields.length < titles.length) continue
    // Threads of the process above them have "-" there.
    if (fields[column] !== "-") isOurs = wanted.has(Number(fields[column]))
    if (isOurs) processes.push([...fields.slice(0, titles.length - 1), fields.slice(titles.length - 1).join(" ")])
  }
  return { Titles: titles, Processes: processes }
}
