// Schema of Docker's container Config.
import type * as v from "valibot"
import { duration, field, fields, flag, int, keySet, keySetOf, text, textMap, texts, words } from "./go-json.ts"

const healthcheck = fields(
  {
    Test: field(texts),
    Interval: field(duration),
    Timeout: field(duration),
    StartPeriod: field(duration),
    StartInterval: field(duration),
    Retries: field(int),
  },
  "v1.HealthcheckConfig",
)

export const containerConfigEntries = {
  Hostname: field(text),
  Domainname: field(text),
  User: field(text),
  AttachStdin: field(flag),
  AttachStdout: field(flag),
  AttachStderr: field(flag),
  ExposedPorts: field(keySetOf("nat.PortSet")),
  Tty: field(flag),
  OpenStdin: field(flag),
  StdinOnce: field(flag),
  Env: field(texts),
  Cmd: field(words),
  Healthcheck: field(healthcheck),
  ArgsEscaped: field(flag),
  Image: field(text),
  Volumes: field(keySet),
  WorkingDir: field(text),
  Entrypoint: field(words),
  NetworkDisabled: field(flag),
  MacAddress: field(text),
  OnBuild: field(texts),
  Labels: field(textMap),
  StopSignal: field(text),
  StopTimeout: field(int),
  Shell: field(words),
} satisfies v.ObjectEntries
