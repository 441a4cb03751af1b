// What no schema can say: names that lead nowhere, and fields that contradict one another. Each with its place.

import { type Project, replicasOf, type Service } from "./model.ts"
import { child, type Mapping, type Node } from "./node.ts"
import { inOrder } from "./order.ts"
import { Problems } from "./problem.ts"

export function checkConsistency(project: Project, tree: Mapping): void {
  const problems = new Problems()
  for (const service of Object.values(project.services)) {
    const node = child(tree, "services", service.name) ?? tree
    checkService(project, service, (message, hint, ...field) => {
      const at: Node = child(node, ...field) ?? node
      problems.add(at.place, message, hint)
    })
  }
  for (const [kind, section] of [
    ["secret", project.secrets],
    ["config", project.configs],
  ] as const)
    for (const [name, file] of Object.entries(section)) {
      const node = child(tree, `${kind}s`, name) ?? tree
      const sources = (["file", "environment", "content"] as const).filter((field) => child(node, field) !== undefined)
      if (file.external === true) continue
      const known = kind === "secret" ? "file|environment" : "file|environment|content"
      if (sources.length > 1) problems.add(node.place, `${kind}s.${name}: ${known} attributes are mutually exclusive`)
      if (sources.length === 0 && file.driver === undefined)
        problems.add(node.place, `${kind}s.${name}: one of ${known} must be set`)
    }
  problems.throwIfAny()
  inOrder(project)
}

type Report = (message: string, hint: string | undefined, ...field: string[]) => void

function checkService(project: Project, service: Service, report: Report): void {
  const say = `service "${service.name}"`
  if (service.image === undefined && service.build === undefined && service.provider === undefined)
    report(`${say} has neither an image nor a build context specified`, undefined)
  if (service.network_mode !== undefined && Object.keys(service.networks ?? {}).length > 0)
    report(`${say} declares mutually exclusive \`network_mode\` and \`networks\``, undefined, "network_mode")
  for (const name of Object.keys(service.networks ?? {}))
    if (!Object.hasOwn(project.networks, name))
      report(`${say} refers to undefined network ${name}`, undefined, "networks", name)
  const [test] = service.healthcheck?.test ?? []
  if (test !== undefined && !["CMD", "CMD-SHELL", "NONE"].includes(test))
    report('healthcheck.test must start either by "CMD", "CMD-SHELL" or "NONE"', undefined, "healthcheck", "test")
  for (const [name, { required }] of Object.entries(service.depends_on ?? {})) {
    if (Object.hasOwn(project.services, name)) continue
    const isDisabled = Object.hasOwn(project.disabled, name)
    if (isDisabled && !required) continue
    const hint = isDisabled
      ? `It is in the profiles ${project.disabled[name]!.profiles?.join(", ")}, none of which is enabled`
      : undefined
    report(`${say} depends on undefined service "${name}"`, hint, "depends_on", name)
  }
  for (const field of ["network_mode", "ipc", "pid"] as const) {
    const other = service[field]?.startsWith("service:") ? service[field].slice("service:".length) : undefined
    if (other !== undefined && !Object.hasOwn(project.services, other))
      report(`service "${other}" not found for ${field} 'service:${other}'`, undefined, field)
  }
  for (const { type, source } of service.volumes ?? [])
    if (type === "volume" && source !== undefined && !Object.hasOwn(project.volumes, source))
      report(`${say} refers to undefined volume ${source}`, undefined, "volumes")
  for (const { type, source } of service.volumes ?? [])
    if (type === "bind" && source === undefined) report(`${say}: a bind mount needs "source"`, undefined, "volumes")
  for (const { source } of service.secrets ?? [])
    if (!Object.hasOwn(project.secrets, source))
      report(`${say} refers to undefined secret ${source}`, undefined, "secrets")
  for (const { source } of service.configs ?? [])
    if (!Object.hasOwn(project.configs, source))
      report(`${say} refers to undefined config ${source}`, undefined, "configs")
  checkNumbers(service, report)
  checkTargets(service, report)
}

function checkNumbers(service: Service, report: Report): void {
  const at = `services.${service.name}`
  const { scale, deploy } = service
  if (scale !== undefined && deploy?.replicas !== undefined && scale !== deploy.replicas)
    report(`${at}: can't set distinct values on 'scale' and 'deploy.replicas'`, undefined, "scale")
  if (replicasOf(service) < 0) report(`${at}.scale: must be greater than or equal to 0`, undefined, "scale")
  const twice = (field: string, own: unknown, other: unknown, name: string): void => {
    if (own !== undefined && own !== other && deploy !== undefined && other !== undefined)
      report(`${at}: can't set distinct values on '${field}' and 'deploy.resources.${name}'`, undefined, field)
  }
  twice("cpus", service.cpus, deploy?.resources?.limits?.cpus, "limits.cpus")
  twice("mem_limit", service.mem_limit, deploy?.resources?.limits?.memory, "limits.memory")
  twice("mem_reservation", service.mem_reservation, deploy?.resources?.reservations?.memory, "reservations.memory")
  twice("pids_limit", service.pids_limit, deploy?.resources?.limits?.pids, "limits.pids")
  if (replicasOf(service) > 1 && service.container_name !== undefined)
    report(
      `${at}: can't set container_name and ${scale === undefined ? "deploy.replicas" : "scale"} as container name must be unique`,
      undefined,
      "container_name",
    )
}

function checkTargets(service: Service, report: Report): void {
  const mounts = new Map<string, string>()
  const add = (target: string, where: string, field: string): void => {
    const other = mounts.get(target)
    if (other !== undefined)
      report(`services.${service.name}.${where}: target ${target} already mounted as ${other}`, undefined, field)
    mounts.set(target, `services.${service.name}.${where}`)
  }
  for (const [index, text] of (service.tmpfs ?? []).entries()) add(text.split(":", 1)[0]!, `tmpfs[${index}]`, "tmpfs")
  for (const [index, { target }] of (service.volumes ?? []).entries()) add(target, `volumes[${index}]`, "volumes")
}
