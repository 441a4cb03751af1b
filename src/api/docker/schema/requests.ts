// Schemas of request bodies.
import * as v from "valibot"
import { containerConfigEntries } from "./container-config.ts"
import { field, fields, flag, int, text, textMap, texts, words } from "./go-json.ts"
import { hostConfig, networkingConfig } from "./host-config.ts"

export const containerCreateRequest = fields({
  ...containerConfigEntries,
  HostConfig: field(hostConfig),
  NetworkingConfig: field(networkingConfig),
})

export const commitRequest = v.nullable(fields(containerConfigEntries))

const consoleSize = v.tuple([int, int], "[2]uint")

export const execConfig = fields({
  User: field(text),
  Privileged: field(flag),
  Tty: field(flag),
  ConsoleSize: field(consoleSize),
  AttachStdin: field(flag),
  AttachStderr: field(flag),
  AttachStdout: field(flag),
  DetachKeys: field(text),
  Env: field(texts),
  WorkingDir: field(text),
  Cmd: field(words),
})

export const execStartRequest = fields({ Detach: field(flag), Tty: field(flag), ConsoleSize: field(consoleSize) })

export const volumeCreateRequest = fields({
  Name: field(text),
  Driver: field(text),
  DriverOpts: field(textMap),
  Labels: field(textMap),
})

export const authRequest = fields({
  username: field(text),
  password: field(text),
  serveraddress: field(text),
  identitytoken: field(text),
  registrytoken: field(text),
})
