// SELinux labels of a container, of those that `--security-opt label=...` asks for. Without a word the engine sets none,
// as Docker does unless its daemon is told otherwise. Pure.
import { DhowError } from "../lib/errors.ts"

export type Labels = { readonly process: string; readonly mount: string }

const PARTS = ["user", "role", "type", "level"] as const
type Part = (typeof PARTS)[number]

/** undefined: none. Options are what follows "label=". */
export function selinuxLabels(options: readonly string[]): Labels | undefined {
  if (options.length === 0) return undefined
  const process: Record<Part, string> = { user: "system_u", role: "system_r", type: "container_t", level: "s0" }
  const mount: Record<Part, string> = { user: "system_u", role: "object_r", type: "container_file_t", level: "s0" }
  for (const option of options) {
    if (option === "disable") return undefined
    const [, name = "", value = ""] = /^([^:]+):(.+)$/.exec(option) ?? []
    const part = PARTS.find((one) => one === name)
    if (part === undefined && name !== "filetype")
      throw new DhowError(
        "invalid",
        `bad label option ${JSON.stringify(option)}, valid options 'disable' or 'user, role, level, type, filetype' followed by ':' and a value`,
      )
    if (part === undefined) mount.type = value
    else process[part] = value
    if (part === "level" || part === "user") mount[part] = value
  }
  return { process: format(process), mount: format(mount) }
}

function format(label: Readonly<Record<Part, string>>): string {
  return PARTS.map((part) => label[part]).join(":")
}
