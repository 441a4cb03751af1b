// One container over the API, from its creation to its removal: what it wrote, how it ended, what inspect says of it. Of
// any engine that speaks the API.
import type { ContainerInspect } from "../../src/wire/container.ts"

/** `version` is what paths begin with: "/v1.41". */
export type Daemon = { readonly socket: string; readonly version?: string }
export type Body = { readonly HostConfig?: object; readonly [field: string]: unknown }
export type Run = {
  readonly warnings: readonly string[]
  /** Of the create, or of the start; "" where both succeeded. */
  readonly error: string
  readonly output: string
  readonly exitCode: number
  /** Empty where the create was refused. */
  readonly inspect: ContainerInspect
}

/** Runs a script in "bb" to its end, both its streams as one; without one, what the body says. */
export async function runContainer(daemon: Daemon, body: Body, script?: string): Promise<Run> {
  const given = { Image: "bb", ...(script === undefined ? {} : { Cmd: ["sh", "-c", `exec 2>&1\n${script}`] }), ...body }
  const created = await call<{ Id: string; Warnings: string[] }>(daemon, "POST", "/containers/create", given)
  const nothing = { warnings: [], output: "", exitCode: 0, inspect: {} as ContainerInspect }
  if (created.error !== "") return { ...nothing, error: created.error }
  const { Id, Warnings } = created.json
  try {
    const { error } = await call(daemon, "POST", `/containers/${Id}/start`)
    const wait = async () =>
      (await call<{ StatusCode: number }>(daemon, "POST", `/containers/${Id}/wait`)).json.StatusCode
    const exitCode = error === "" ? await wait() : 0
    return {
      warnings: Warnings,
      error,
      output: error === "" ? await outputOf(daemon, Id) : "",
      exitCode,
      inspect: (await call<ContainerInspect>(daemon, "GET", `/containers/${Id}/json`)).json,
    }
  } finally {
    await call(daemon, "DELETE", `/containers/${Id}?force=1&v=1`)
  }
}

async function call<T>(
  { socket, version = "" }: Daemon,
  method: string,
  path: string,
  body?: object,
): Promise<{ readonly error: string; readonly json: T }> {
  const response = await fetch(`http://docker${version}${path}`, {
    ...{ unix: socket, method, headers: { "content-type": "application/json" } },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const json = (text === "" ? {} : JSON.parse(text)) as T & { message?: string }
  return { error: response.ok ? "" : (json.message ?? text), json }
}

async function outputOf({ socket, version = "" }: Daemon, id: string): Promise<string> {
  const response = await fetch(`http://docker${version}/containers/${id}/logs?stdout=1&stderr=1`, { unix: socket })
  const bytes = Buffer.from(await response.arrayBuffer())
  let text = ""
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at + 4)
    text += bytes.toString("utf8", at + 8, at + 8 + length)
    at += 8 + length
  }
  return text.trimEnd()
}
