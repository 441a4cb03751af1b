// distro.local/busybox: the one static program of the package busybox-static, a link for each of its applets, and the
// few files that programs expect. Uses the installed package where its checksum holds, else the signed archive; of a
// foreign architecture too, since nothing of it is run.
import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { DhowError } from "../../../lib/errors.ts"
import { readIfExists } from "../../../lib/files.ts"
import { type TarInput, writeTar } from "../../../lib/tar/writer.ts"
import { hostPlatform, samePlatform } from "../../../oci/platform.ts"
import { debianArchitecture } from "./architectures.ts"
import type { Recipe, RecipeOptions, RootFileSystem } from "./distribution.ts"
import { fetchPackage } from "./package-archive.ts"
import { run } from "./run.ts"

const PACKAGE = "busybox-static"
const PATHS = ["bin/busybox", "usr/bin/busybox"]

type Program = { readonly path: string; readonly version: string }

export async function busyboxRoot({ tag, platform }: Recipe, options: RecipeOptions): Promise<RootFileSystem> {
  if (tag !== "latest")
    throw new DhowError("not-found", `manifest for distro.local/busybox:${tag} not found: manifest unknown`, {
      hint: "The only tag is latest: the version is that of the distribution's package",
    })
  const architecture = debianArchitecture(platform)
  const isNative = samePlatform(platform, hostPlatform())
  const program = (isNative ? await installed() : undefined) ?? (await downloaded(architecture, options))
  const applets = isNative ? await listApplets(program.path, options) : await foreignApplets(program.path, options)
  // The archive's time stamp comes from the package's source: the same for everybody who has that version.
  const created = new Date(Math.floor(statSync(program.path).mtimeMs / 1000) * 1000)
  const entries = entriesOf(readFileSync(program.path), { applets, mtime: created.getTime() / 1000 })
  return {
    tar: writeTar(entries),
    finish: async () => ({
      packages: [`${PACKAGE}=${program.version}`],
      created,
      labels: {},
      cmd: ["sh"],
      createdBy: `${PACKAGE} ${program.version}`,
    }),
  }
}

// dpkg-query fills its own placeholders in.
const FORMAT = ["db:Status-Status", "Version"].map((field) => `\${${field}}`).join(" ")

async function installed(): Promise<Program | undefined> {
  const { status, stdout } = await run(["dpkg-query", "-W", "-f", FORMAT, PACKAGE])
  const [state, version = ""] = stdout.split(" ")
  if (status !== 0 || state !== "installed") return undefined
  const sums = readIfExists(`/var/lib/dpkg/info/${PACKAGE}.md5sums`) ?? ""
  for (const path of PATHS) {
    const [, sum] = new RegExp(`^([0-9a-f]{32}) {2}${path}$`, "m").exec(sums) ?? []
    if (sum === undefined) continue
    const found = new Bun.CryptoHasher("md5").update(readFileSync(`/${path}`)).digest("hex")
    // Somebody replaced it: then it is not what the label would say.
    if (found === sum) return { path: `/${path}`, version }
  }
  return undefined
}

async function downloaded(architecture: string, options: RecipeOptions): Promise<Program> {
  const { directory, signal } = options
  const ownVersion = (await installed())?.version
  const { path: file, version } = await fetchPackage({ name: PACKAGE, architecture, ownVersion }, options)
  const tree = join(directory, `tree-${architecture}`)
  const unpacked = await run(["dpkg-deb", "--extract", file, tree], { signal })
  if (unpacked.status !== 0)
    throw new DhowError("internal", `Cannot unpack the package "${PACKAGE}": ${lastLine(unpacked.stderr)}`)
  const path = PATHS.map((name) => join(tree, name)).find((name) => statSync(name, { throwIfNoEntry: false }))
  if (path === undefined) throw new DhowError("internal", `Package "${PACKAGE}" has no busybox in it`)
  return { path, version }
}

/** "usr/bin/wc" and so on, as the program itself says. */
async function listApplets(program: string, { signal }: RecipeOptions): Promise<readonly string[]> {
  const { stdout, status, stderr } = await run([program, "--list-full"], { signal })
  if (status !== 0) throw new DhowError("internal", `Cannot list the applets of "${program}": ${stderr.trim()}`)
  return stdout.split("\n").filter((line) => line.includes("/") && !PATHS.includes(line))
}

/**
 * The same of a program that this machine may not be able to run: the names stand in it, and the directories are those of
 * this machine's own busybox. Emulation or not, the image is the same.
 */
async function foreignApplets(program: string, options: RecipeOptions): Promise<readonly string[]> {
  const own = (await installed()) ?? (await downloaded(debianArchitecture(hostPlatform()), options))
  const places = new Map(
    (await listApplets(own.path, options)).map((path) => [path.slice(path.lastIndexOf("/") + 1), path]),
  )
  return appletNames(readFileSync(program))
    .map((name) => places.get(name) ?? `usr/bin/${name}`)
    .filter((path) => !PATHS.includes(path))
}

/** The table of applets in a busybox program: sorted names that end in zero bytes, "[" and "[[" first. */
export function appletNames(program: Buffer): readonly string[] {
  const first = program.indexOf("\0[\0[[\0")
  const end = first < 0 ? -1 : program.indexOf("\0\0", first + 1)
  const names = end < 0 ? [] : program.toString("latin1", first + 1, end).split("\0")
  if (names.length < 10 || names.some((name) => !/^[a-z0-9_.[-]{1,40}$/i.test(name)))
    throw new DhowError("internal", `Package "${PACKAGE}": its program has no table of applets`)
  return names
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? ""
}

const DIRECTORIES: Readonly<Record<string, number>> = {
  bin: 0o755,
  dev: 0o755,
  etc: 0o755,
  home: 0o755,
  proc: 0o555,
  root: 0o700,
  run: 0o755,
  sbin: 0o755,
  sys: 0o555,
  tmp: 0o1777,
  usr: 0o755,
  "usr/bin": 0o755,
  "usr/sbin": 0o755,
  var: 0o755,
  "var/spool": 0o755,
  "var/spool/mail": 0o755,
  "var/tmp": 0o1777,
}

const FILES: Readonly<Record<string, string>> = {
  "etc/group": [
    "root:x:0:",
    "daemon:x:1:",
    "tty:x:5:",
    "mail:x:8:",
    "www-data:x:33:",
    "users:x:100:",
    "nogroup:x:65534:",
  ]
    .map((line) => `${line}\n`)
    .join(""),
  "etc/passwd": [
    "root:x:0:0:root:/root:/bin/sh",
    "daemon:x:1:1:daemon:/usr/sbin:/bin/false",
    "mail:x:8:8:mail:/var/spool/mail:/bin/false",
    "www-data:x:33:33:www-data:/var/www:/bin/false",
    "nobody:x:65534:65534:nobody:/home:/bin/false",
  ]
    .map((line) => `${line}\n`)
    .join(""),
  "etc/shadow": ["root:*:::::::", "daemon:*:::::::", "mail:*:::::::", "www-data:*:::::::", "nobody:*:::::::"]
    .map((line) => `${line}\n`)
    .join(""),
  "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}

function* entriesOf(
  program: Uint8Array,
  { applets, mtime }: { readonly applets: readonly string[]; readonly mtime: number },
): Generator<TarInput> {
  for (const [path, mode] of Object.entries(DIRECTORIES)) yield { path, type: "directory", mode, mtime }
  for (const [path, text] of Object.entries(FILES))
    yield { path, type: "file", mode: path === "etc/shadow" ? 0o640 : 0o644, mtime, content: Buffer.from(text) }
  yield { path: "bin/busybox", type: "file", mode: 0o755, mtime, content: program }
  for (const path of [...new Set(applets)].sort())
    yield { path, type: "symlink", linkPath: "/bin/busybox", mode: 0o777, mtime }
}
