// Schema of Docker's container Config.
import type * as v from "valibot"
import { field, fields, flag, int, keySet, text, textMap, texts, words } from "./go-json.ts"

const healthcheck = fields({
  Test: field(texts),
  Interval: field(int),
  Timeout: field(int),
  StartPeriod: field(int),
  StartInterval: field(int),
  Retries: field(int),
})

export const containerConfigEntries = {
  Hostname: field(text),
  Domainname: field(text),
  User: field(text),
  AttachStdin: field(flag),
  AttachStdout: field(flag),
  AttachStderr: field(flag),
  ExposedPorts: field(keySet),
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
