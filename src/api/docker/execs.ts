// /containers/{id}/exec and /exec/{id}.
import type { Execs } from "../../engine/contract.ts"
import { parseDetachKeys } from "../../lib/detach-keys.ts"
import { DhowError } from "../../lib/errors.ts"
import { empty, json, type Reply } from "../http/reply.ts"
import { attachmentReply } from "./attach.ts"
import { type Call, param, type Route } from "./call.ts"
import { callerIn, terminalSize } from "./containers.ts"
import { readJson, readJsonBeforeStream } from "./json-body.ts"
import { execConfig, execStartRequest } from "./schema/requests.ts"

export function execRoutes(execs: Execs): Route[] {
  return [
    ["POST", "/containers/*name/exec", (call) => create(execs, call)],
    ["POST", "/exec/:id/start", (call) => start(execs, call)],
    ["POST", "/exec/:id/resize", (call) => execs.resize(param(call, "id"), terminalSize(call)).then(() => empty(200))],
    ["GET", "/exec/:id/json", async (call) => json(200, await execs.inspect(param(call, "id")))],
  ]
}

async function create(execs: Execs, call: Call): Promise<Reply> {
  const { ConsoleSize, ...config } = await readJson(call.request, execConfig)
  if (config.Cmd === undefined || config.Cmd.length === 0) throw new DhowError("invalid", "No exec command specified")
  // The size came with 1.42.
  const sized = call.api >= 42 && ConsoleSize !== undefined ? { ...config, ConsoleSize } : config
  return json(201, await execs.create(param(call, "name"), sized, callerIn(call)))
}

async function start(execs: Execs, call: Call): Promise<Reply> {
  const id = param(call, "id")
  const {
    Detach: detach = false,
    Tty: tty = false,
    ConsoleSize,
  } = await readJsonBeforeStream(call.request, execStartRequest)
  const sized = call.api >= 42 && tty && ConsoleSize !== undefined
  const attachment = await execs.start(id, { detach, tty, ...(sized ? { consoleSize: ConsoleSize } : {}) })
  return attachment === undefined
    ? empty(200)
    : attachmentReply(attachment, call.api, parseDetachKeys(attachment.detachKeys))
}
