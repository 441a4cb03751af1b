// Programs that reap orphans themselves, by the name of the program: they need no init in front of them. And where the
// one is that is put in front of the others.
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

let init: { readonly asked: string; readonly path: string } | undefined

/** Each start asks for it: PATH is looked through once for each setting, and again only until something is found. */
export function findInit(asked: string): string | undefined {
  if (init?.asked === asked) return init.path
  const path = Bun.which(asked) ?? undefined
  init = path === undefined ? undefined : { asked, path }
  return path
}
