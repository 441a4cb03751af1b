// Programs that reap orphans themselves, by the name of the program: they need no init in front of them.
import { posix } from "node:path"

const INITS = new Set([
  "tini",
  "tini-static",
  "dumb-init",
  "catatonit",
  "docker-init",
  "init",
  "systemd",
  "s6-svscan",
  "runit",
  "runsvdir",
  "runit-init",
  "my_init",
  "supervisord",
  "openrc-init",
])

export function isInit(program: string): boolean {
  return INITS.has(posix.basename(program))
}
