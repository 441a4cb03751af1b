// Processes that SIGKILL does not end: they hang in a call of the kernel, as a rule on a file system that does not answer.
import { readFileSync } from "node:fs"
import { DhowError, describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import type { ContainerParts } from "./parts.ts"
import { runtimeOf } from "./runtime.ts"

/** The error of a kill without effect. Its hint names the processes and where they hang. */
export async function unkillable(parts: ContainerParts, id: string): Promise<DhowError> {
  return new DhowError("internal", "tried to kill container, but did not receive an exit event", {
    hint: await describeStuck(parts, id),
  })
}

/** "process 12 (cat) hangs in the kernel (state D, in fuse_get_req)", for each that is left. */
export async function describeStuck(parts: ContainerParts, id: string): Promise<string> {
  const told = (await processesOf(parts, id)).flatMap(describeProcess)
  return told.length > 0 ? told.join("; ") : "its monitor did not report the end"
}

/** Whether the kernel holds one of its processes in a call that no signal interrupts. */
export async function hangsInKernel(parts: ContainerParts, id: string): Promise<boolean> {
  return (await processesOf(parts, id)).some((pid) => statusOf(pid)?.state === "D")
}

async function processesOf(parts: ContainerParts, id: string): Promise<readonly number[]> {
  const record = parts.store.find(id)?.record
  try {
    return record === undefined ? [] : await runtimeOf(parts, record).processes(id)
  } catch (error) {
    log.debug("The processes of a container cannot be listed", { container: id, error: describeError(error) })
    return []
  }
}

/** Nothing is said of a process that has ended, reaped or not. */
export function describeProcess(pid: number): string[] {
  const status = statusOf(pid)
  if (status === undefined || status.state === "Z") return []
  const where = read(`/proc/${pid}/wchan`)
  const place = where === "" || where === "0" ? "" : `, in ${where}`
  return [`process ${pid} (${status.name}) hangs in the kernel (state ${status.state}${place})`]
}

function statusOf(pid: number): { readonly name: string; readonly state: string } | undefined {
  const status = read(`/proc/${pid}/status`)
  const name = /^Name:\s+(.*)$/m.exec(status)?.[1]
  const state = /^State:\s+(\S)/m.exec(status)?.[1]
  return name === undefined || state === undefined ? undefined : { name, state }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}
