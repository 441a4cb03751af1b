// Where this machine gets its packages: its own apt sources, both formats, turned into the sources of another suite. The
// mirror and the keyring stay what the host's administrator chose.
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { DhowError } from "../../../lib/errors.ts"
import { readIfExists } from "../../../lib/files.ts"

export type AptSource = {
  readonly uris: readonly string[]
  readonly suites: readonly string[]
  readonly components: readonly string[]
  /** A path, or an armored key as the deb822 format embeds it. */
  readonly signedBy?: string
}

/** What a suite is made of: itself, its updates, and its security fixes. */
export type Part = {
  readonly kind: "main" | "updates" | "security"
  readonly suite: string
  readonly source: AptSource
}

export function readAptSources(directory = "/etc/apt"): readonly AptSource[] {
  const parts = join(directory, "sources.list.d")
  const list = readIfExists(join(directory, "sources.list")) ?? ""
  const sources = [...parseOneLine(list)]
  for (const name of listDirectory(parts).toSorted()) {
    const text = readIfExists(join(parts, name)) ?? ""
    if (name.endsWith(".sources")) sources.push(...parseDeb822(text))
    else if (name.endsWith(".list")) sources.push(...parseOneLine(text))
  }
  return sources
}

function listDirectory(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** "deb [signed-by=…] URI suite component…", one a line. */
export function parseOneLine(text: string): readonly AptSource[] {
  return text.split("\n").flatMap((line): AptSource[] => {
    const [, options = "", uri = "", suite = "", rest = ""] =
      /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line) ?? []
    if (uri === "" || suite === "") return []
    const [, signedBy] = /(?:^|\s)signed-by=(\S+)/i.exec(options) ?? []
    const components = rest.trim().split(/\s+/).filter(Boolean)
    return [{ uris: [uri], suites: [suite], components, ...(signedBy === undefined ? {} : { signedBy }) }]
  })
}

/** Stanzas of "Field: value", with continuation lines. */
export function parseDeb822(text: string): readonly AptSource[] {
  const lines = text.split("\n").filter((line) => !line.startsWith("#"))
  return lines
    .join("\n")
    .split(/\n\s*\n/)
    .flatMap((stanza): AptSource[] => {
      const fields = new Map<string, string>()
      for (const [, name = "", value = ""] of stanza.matchAll(/^([A-Za-z-]+):((?:.*)(?:\n[ \t].*)*)/gm))
        fields.set(name.toLowerCase(), value.trim())
      const words = (name: string): string[] => (fields.get(name) ?? "").split(/\s+/).filter(Boolean)
      if (!words("types").includes("deb") || /^(?:no|false|0)$/i.test(fields.get("enabled") ?? "")) return []
      const signedBy = fields.get("signed-by")
      return [
        {
          uris: words("uris"),
          suites: words("suites"),
          components: words("components"),
          ...(signedBy === undefined ? {} : { signedBy }),
        },
      ]
    })
}

/** The parts of `suite`, as the host would write them; those that a suite may lack come after the one it must have. */
export function partsOf(sources: readonly AptSource[], suite: string, hostCodename: string): readonly Part[] {
  const known = new Set([hostCodename, "oldoldstable", "oldstable", "stable", "testing", "unstable", "sid"])
  const kindOf = (name: string): Part["kind"] | undefined => {
    if (known.has(name)) return "main"
    if (name.endsWith("-updates") && known.has(name.slice(0, -"-updates".length))) return "updates"
    if (known.has(name.replace(/(?:-security|\/updates)$/, ""))) return "security"
    return undefined
  }
  const find = (kind: Part["kind"]): AptSource | undefined =>
    sources.find((source) => source.components.includes("main") && source.suites.some((name) => kindOf(name) === kind))
  const main = find("main")
  if (main === undefined)
    throw new DhowError("unavailable", "This machine's apt sources name no Debian mirror", {
      hint: "Add one to /etc/apt/sources.list, with its key under /usr/share/keyrings",
    })
  if (suite === "sid" || suite === "unstable") return [{ kind: "main", suite, source: main }]
  const security = find("security")
  return [
    { kind: "main", suite, source: main },
    { kind: "updates", suite: `${suite}-updates`, source: find("updates") ?? main },
    ...(security === undefined ? [] : [{ kind: "security", suite: `${suite}-security`, source: security } as const]),
  ]
}

/** The parts as a deb822 file. */
export function formatDeb822(parts: readonly Part[]): string {
  return parts
    .map(({ suite, source }) =>
      [
        "Types: deb",
        `URIs: ${source.uris.join(" ")}`,
        `Suites: ${suite}`,
        "Components: main",
        ...(source.signedBy === undefined
          ? []
          : [`Signed-By:${source.signedBy.startsWith("/") ? " " : "\n "}${source.signedBy}`]),
        "",
      ].join("\n"),
    )
    .join("\n")
}
