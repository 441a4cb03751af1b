// distro.local/busybox: the one static program of the package busybox-static, a link for each of its applets, and the
// few files that programs expect. Uses the installed package where its checksum holds, else the signed archive.
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { DhowError } from "../../../lib/errors.ts"
import { readIfExists } from "../../../lib/files.ts"
import { type TarInput, writeTar } from "../../../lib/tar/writer.ts"
import { formatPlatform, hostPlatform, samePlatform } from "../../../oci/platform.ts"
import type { Recipe, RecipeOptions, RootFileSystem } from "./distribution.ts"
import { run } from "./run.ts"

const PACKAGE = "busybox-static"
const PATHS = ["bin/busybox", "usr/bin/busybox"]

type Program = { readonly path: string; readonly version: string }

export async function busyboxRoot({ tag, platform }: Recipe, options: RecipeOptions): Promise<RootFileSystem> {
  if (tag !== "latest")
    throw new DhowError("not-found", `manifest for distro.local/busybox:${tag} not found: manifest unknown`, {
      hint: "The only tag is latest: the version is that of the distribution's package",
    })
  if (!samePlatform(platform, hostPlatform()))
    throw new DhowError(
      "not-implemented",
      `Cannot build "distro.local/busybox" for ${formatPlatform(platform)}: only for ${formatPlatform(hostPlatform())}`,
    )
  const program = (await installed()) ?? (await downloaded(options))
  const { stdout, status, stderr } = await run([program.path, "--list-full"], options)
  if (status !== 0) throw new DhowError("internal", `Cannot list the applets of "${program.path}": ${stderr.trim()}`)
  const applets = stdout.split("\n").filter((line) => line.includes("/") && !PATHS.includes(line))
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

async function downloaded({ directory, signal, progress }: RecipeOptions): Promise<Program> {
  progress({ id: PACKAGE, status: "Downloading" })
  const fetched = await run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", PACKAGE], {
    cwd: directory,
    signal,
  })
  const archive = readdirSync(directory).find((name) => name.endsWith(".deb"))
  if (fetched.status !== 0 || archive === undefined)
    throw new DhowError("unavailable", `Cannot download the package "${PACKAGE}": ${lastLine(fetched.stderr)}`, {
      hint: "Run apt-get update, or install the package",
    })
  const file = join(directory, archive)
  const tree = join(directory, "tree")
  const unpacked = await run(["dpkg-deb", "--extract", file, tree], { signal })
  if (unpacked.status !== 0)
    throw new DhowError("internal", `Cannot unpack the package "${archive}": ${lastLine(unpacked.stderr)}`)
  const { stdout } = await run(["dpkg-deb", "--field", file, "Version"], { signal })
  const path = PATHS.map((name) => join(tree, name)).find((name) => statSync(name, { throwIfNoEntry: false }))
  if (path === undefined) throw new DhowError("internal", `Package "${archive}" has no busybox in it`)
  return { path, version: stdout.trim() }
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
