// The labels that tie containers, networks and volumes to their project: docker compose's, so that both see the same.
import { serviceHash } from "./hash.ts"
import type { Labels, Project, Service } from "./model.ts"

const PREFIX = "com.docker.compose."

export const LABEL = {
  project: `${PREFIX}project`,
  service: `${PREFIX}service`,
  hash: `${PREFIX}config-hash`,
  number: `${PREFIX}container-number`,
  volume: `${PREFIX}volume`,
  network: `${PREFIX}network`,
  directory: `${PREFIX}project.working_dir`,
  files: `${PREFIX}project.config_files`,
  oneOff: `${PREFIX}oneoff`,
  slug: `${PREFIX}slug`,
  image: `${PREFIX}image`,
  dependsOn: `${PREFIX}depends_on`,
  version: `${PREFIX}version`,
  replace: `${PREFIX}replace`,
} as const

export type LabelOptions = {
  /** 1 for the first container of a service; undefined for one that is run once. */
  readonly number: number | undefined
  /** ID of the image, where it is known. */
  readonly image?: string | undefined
  readonly version: string
  readonly slug?: string
  /** The container that this one takes the place of. */
  readonly replaces?: string
}

export function containerLabels(project: Project, service: Service, options: LabelOptions): Labels {
  const dependencies = Object.entries(service.depends_on ?? {}).map(
    ([name, { condition, restart }]) => `${name}:${condition}:${restart === true}`,
  )
  return {
    ...service.labels,
    [LABEL.hash]: serviceHash(service),
    ...(options.number === undefined ? {} : { [LABEL.number]: String(options.number) }),
    [LABEL.dependsOn]: dependencies.join(","),
    ...(options.image === undefined ? {} : { [LABEL.image]: options.image }),
    [LABEL.oneOff]: options.number === undefined ? "True" : "False",
    [LABEL.project]: project.name,
    [LABEL.files]: project.files.join(","),
    [LABEL.directory]: project.directory,
    ...(options.replaces === undefined ? {} : { [LABEL.replace]: options.replaces }),
    [LABEL.service]: service.name,
    ...(options.slug === undefined ? {} : { [LABEL.slug]: options.slug }),
    [LABEL.version]: options.version,
  }
}

export function containerName(project: Project, service: Service, number: number): string {
  return service.container_name ?? `${project.name}-${service.name}-${number}`
}
