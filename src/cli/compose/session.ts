// What every step on a project needs.
import type { Client } from "../../client/client.ts"
import type { Project } from "../../compose/model.ts"
import type { Context } from "../command.ts"
import { globalsOf, loadProject, type ProjectOptions } from "./globals.ts"
import { Progress } from "./progress.ts"

export type Session = {
  readonly client: Client
  readonly project: Project
  readonly progress: Progress
}

export function openSession(context: Context, more: ProjectOptions = {}): Session {
  return { client: context.client, project: loadProject(context, more), progress: progressOf(context) }
}

export function progressOf(context: Context): Progress {
  return new Progress(globalsOf(context).progress)
}

/** Only these services, whole. */
export function withServices(project: Project, names: readonly string[]): Project {
  const services = Object.fromEntries(Object.entries(project.services).filter(([name]) => names.includes(name)))
  const others = Object.fromEntries(Object.entries(project.services).filter(([name]) => !names.includes(name)))
  return { ...project, services, disabled: { ...project.disabled, ...others } }
}
