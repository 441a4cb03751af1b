// One container over the API, from its creation to its removal: what it wrote, how it ended, what inspect says of it.
import type { ContainerInspect } from "../../src/wire/container.ts"
import type { TestEngine } from "./engine.ts"

export type Body = { readonly HostConfig?: object; readonly [field: string]: unknown }
export type Run = {
  readonly warnings: readonly string[]
  /** Of the start: "" where it succeeded. */
  readonly error: string
  readonly output: string
  readonly exitCode: number
  readonly inspect: ContainerInspect
}

/** Runs a script in "bb" to its end, both its streams as one; without one, what the body says. */
export async function runContainer(engine: TestEngine, body: Body, script?: string): Promise<Run> {
  const given = { Image: "bb", ...(script === undefined ? {} : { Cmd: ["sh", "-c", `exec 2>&1\n${script}`] }), ...body }
  const { Id, Warnings } = await engine.must<{ Id: string; Warnings: string[] }>("POST", "/containers/create", given)
  try {
    const started = await engine.call("POST", `/containers/${Id}/start`)
    let exitCode = 0
    if (started.status === 204)
      exitCode = (await engine.must<{ StatusCode: number }>("POST", `/containers/${Id}/wait`)).StatusCode
    return {
      warnings: Warnings,
      error: started.status === 204 ? "" : ((started.json as { message?: string }).message ?? started.text),
      output: started.status === 204 ? await outputOf(engine, Id) : "",
      exitCode,
      inspect: await engine.must<ContainerInspect>("GET", `/containers/${Id}/json`),
    }
  } finally {
    await engine.must("DELETE", `/containers/${Id}?force=1&v=1`)
  }
}

/** Both streams, in the order they were written. */
export async function outputOf(engine: TestEngine, id: string): Promise<string> {
  const response = await fetch(`http://dhow/containers/${id}/logs?stdout=1&stderr=1`, { unix: engine.socket })
  const bytes = Buffer.from(await response.arrayBuffer())
  let text = ""
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at + 4)
    text += bytes.toString("utf8", at + 8, at + 8 + length)
    at += 8 + length
  }
  return text.trimEnd()
}
