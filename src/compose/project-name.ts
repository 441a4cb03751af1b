// The name of a project: given, or else made of its directory's.
import { basename } from "node:path"
import { DhowError } from "../lib/errors.ts"

export function normalName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^-_a-z0-9]/g, "")
    .replace(/^[-_]+/, "")
}

export function checkedName(name: string): string {
  if (name !== "" && normalName(name) === name) return name
  throw new DhowError(
    "invalid",
    `invalid project name ${JSON.stringify(name)}: must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number`,
  )
}

export function nameOfDirectory(directory: string): string {
  const name = normalName(basename(directory))
  if (name === "")
    throw new DhowError("invalid", `The directory "${directory}" makes no project name`, {
      hint: "Give one with --project-name",
    })
  return name
}
