// Where programs lie that distributions keep out of the search path.
import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"

const DIRECTORIES = ["/usr/lib/podman", "/usr/libexec/podman", "/usr/local/lib/podman", "/usr/local/libexec/podman"]

export function findProgram(name: string): string | undefined {
  const path = (process.env["PATH"] ?? "").split(delimiter)
  for (const directory of [...DIRECTORIES, ...path, "/usr/sbin", "/sbin"]) {
    if (directory === "") continue
    try {
      accessSync(join(directory, name), constants.X_OK)
      return join(directory, name)
    } catch {
      // The next place.
    }
  }
  return undefined
}
