// Schemas of request bodies.
import * as v from "valibot"
import { containerConfigEntries } from "./container-config.ts"
import { field, fields, flag, text, textMap, texts, words } from "./go-json.ts"
import { consoleSize, hostConfig, networkingConfig } from "./host-config.ts"

export const containerCreateRequest = fields(
  {
    ...containerConfigEntries,
    HostConfig: field(hostConfig),
    NetworkingConfig: field(networkingConfig),
  },
  "container.CreateRequest",
  { Config: containerConfigEntries },
)

export const commitRequest = v.nullable(
  fields(containerConfigEntries, "container.CreateRequest", { Config: containerConfigEntries }),
)

export const execConfig = fields(
  {
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
  },
  "container.ExecOptions",
)

export const execStartRequest = fields(
  {
    Detach: field(flag),
    Tty: field(flag),
    ConsoleSize: field(consoleSize),
  },
  "container.ExecStartOptions",
)

export const volumeCreateRequest = fields(
  {
    Name: field(text),
    Driver: field(text),
    DriverOpts: field(textMap),
    Labels: field(textMap),
    // Refused as a whole, so what is in it does not matter.
    ClusterVolumeSpec: field(fields({}, "volume.ClusterVolumeSpec")),
  },
  "volume.CreateOptions",
)

export const authRequest = fields(
  {
    username: field(text),
    password: field(text),
    serveraddress: field(text),
    identitytoken: field(text),
    registrytoken: field(text),
  },
  "registry.AuthConfig",
)
