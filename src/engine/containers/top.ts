// `top`: the host's ps, and of its lines those whose process belongs to the container.
import { DhowError } from "../../lib/errors.ts"
import type { ContainerTop } from "../../wire/container.ts"
import type { ContainerParts } from "./parts.ts"
import { isRunning } from "./record.ts"
import { runtimeOf } from "./runtime.ts"
import { notRunning } from "./stop.ts"

export async function topContainer(
  parts: ContainerParts,
  reference: string,
  psArguments: string,
): Promise<ContainerTop> {
  const { record, state } = parts.store.resolve(reference)
  if (!isRunning(state)) throw notRunning(record.id)
  const words = (psArguments || "-ef").split(/\s+/).filter((word) => word !== "")
  if (words.some((word) => /^-?-?(?:o|format)?\S*pid=/i.test(word)))
    throw new DhowError("invalid", `specifying "pid=" as a header is not allowed`)
  const wanted = new Set(await runtimeOf(parts, record).processes(record.id))
  const child = Bun.spawn(["ps", ...words], { stdout: "pipe", stderr: "pipe" })
  const [status, output, message] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  if (status !== 0) throw new DhowError("invalid", `ps: ${message.trim().split("\n")[0] || `exit status ${status}`}`)
  return selectProcesses(output, wanted)
}

/** The columns of ps's output; the last one takes the rest of the line. */
export function selectProcesses(output: string, wanted: ReadonlySet<number>): ContainerTop {
  const [head = "", ...lines] = output.split("\n")
  const titles = head.trim().split(/\s+/)
  const column = titles.indexOf("PID")
  if (column < 0) throw new DhowError("invalid", "Couldn't find PID field in ps output")
  const processes: string[][] = []
  for (const line of lines) {
    const fields = line.trim().split(/\s+/)
    if (fields.length < titles.length || !wanted.has(Number(fields[column]))) continue
    processes.push([...fields.slice(0, titles.length - 1), fields.slice(titles.length - 1).join(" ")])
  }
  return { Titles: titles, Processes: processes }
}
