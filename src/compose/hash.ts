// The hash of a configuration, as a label of what was made from it: another one means that it has to be made again.
import { createHash } from "node:crypto"
import type { ProjectNetwork, ProjectVolume, Service } from "./model.ts"
import { canonical, goJson, serviceJson } from "./render.ts"
import { project as projectShape } from "./schema/project.ts"

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")

/** Of what a container is made from: not how it is built, pulled or scaled, and not who it waits for. */
export function serviceHash(service: Service): string {
  const { build: _b, pull_policy: _p, scale: _s, depends_on: _d, profiles: _f, deploy, ...rest } = service
  const { replicas: _r, ...kept } = deploy ?? {}
  return sha256(serviceJson(deploy === undefined ? rest : { ...rest, deploy: kept }))
}

function sectionHash(section: "networks" | "volumes", value: object): string {
  const shape = projectShape.fields[section]!
  return sha256(goJson(canonical(value, shape.kind === "map" ? shape.of : shape, "json")))
}

export function networkHash(network: ProjectNetwork): string {
  return sectionHash("networks", network)
}

export function volumeHash(volume: ProjectVolume): string {
  return sectionHash("volumes", { ...volume, driver: volume.driver ?? "local" })
}
