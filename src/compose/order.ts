// The order of services: who depends on whom, and that nobody depends on himself.
import { DhowError } from "../lib/errors.ts"
import type { Project, Service } from "./model.ts"

export function dependenciesOf(project: Project, service: Service): string[] {
  return Object.keys(service.depends_on ?? {}).filter((name) => Object.hasOwn(project.services, name))
}

export function dependentsOf(project: Project, name: string): Service[] {
  return Object.values(project.services).filter((service) => Object.hasOwn(service.depends_on ?? {}, name))
}

/** Dependencies come before who needs them; throws on a circle. */
export function inOrder(project: Project): string[] {
  const done = new Set<string>()
  const ordered: string[] = []
  const visit = (name: string, above: readonly string[]): void => {
    if (above.includes(name)) {
      const circle = [...above.slice(above.indexOf(name)), name]
      throw new DhowError("invalid", `dependency cycle detected: ${circle.join(" -> ")}`)
    }
    if (done.has(name)) return
    for (const dependency of dependenciesOf(project, project.services[name]!)) visit(dependency, [...above, name])
    done.add(name)
    ordered.push(name)
  }
  for (const name of Object.keys(project.services).sort()) visit(name, [])
  return ordered
}

/** These services and everything they depend on; all of them for none. */
export function withDependencies(project: Project, names: readonly string[]): string[] {
  if (names.length === 0) return inOrder(project)
  const wanted = new Set<string>()
  const add = (name: string): void => {
    if (wanted.has(name)) return
    wanted.add(name)
    for (const dependency of dependenciesOf(project, project.services[name]!)) add(dependency)
  }
  for (const name of names) add(name)
  return inOrder(project).filter((name) => wanted.has(name))
}

/** Runs each after those it depends on (or, `reverse`, after those that depend on it), independent ones at once. */
export async function eachInOrder(
  project: Project,
  names: readonly string[],
  act: (service: Service) => Promise<void>,
  { reverse = false }: { readonly reverse?: boolean } = {},
): Promise<void> {
  const runs = new Map<string, Promise<void>>()
  const ordered = inOrder(project).filter((name) => names.includes(name))
  for (const name of reverse ? ordered.reverse() : ordered) {
    const service = project.services[name]!
    const before = reverse ? dependentsOf(project, name).map((one) => one.name) : dependenciesOf(project, service)
    const run = Promise.all(before.map((one) => runs.get(one))).then(() => act(service))
    // Looked at below; a failure of one is one of those that wait for it too.
    run.catch(() => {})
    runs.set(name, run)
  }
  await Promise.all(runs.values())
}
