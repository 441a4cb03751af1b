// distro.local/debian: a minimal system made by mmdebstrap from the host's mirror and keyring. Time stamps are clamped
// to the date of the suite's release, and everything that this host or this moment would leave in it is taken out.
import { spawn } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { DhowError, errnoName } from "../../../lib/errors.ts"
import { digestOf } from "../../../oci/digest.ts"
import { formatPlatform, hostPlatform, type Platform } from "../../../oci/platform.ts"
import { canRun } from "../../../runtime/emulation.ts"
import { emulationHint } from "../../platforms.ts"
import { formatDeb822, type Part, partsOf, readAptSources } from "./apt-sources.ts"
import { debianArchitecture } from "./architectures.ts"
import type { Recipe, RecipeOptions, RootFileSystem } from "./distribution.ts"
import { suiteOfHost } from "./package-archive.ts"
import { fetchRelease, type Release } from "./release.ts"
import { run } from "./run.ts"

/** Changes with the recipe: what an older one built is then built anew. */
const RECIPE = 1
const MERGED_USR = "/usr/share/mmdebstrap/hooks/merged-usr"
const VERSIONS: Readonly<Record<string, string>> = { "11": "bullseye", "12": "bookworm", "13": "trixie" }

export type DebianPlan = {
  readonly suite: string
  readonly codename: string
  readonly slim: boolean
  readonly architecture: string
  readonly parts: readonly Part[]
  readonly date: Date
  /** Equal for equal inputs: what was built from them need not be built again. */
  readonly inputs: string
}

/** Asks the mirror what there is; a second or less. */
export async function planDebian({ tag, platform }: Recipe, options: RecipeOptions): Promise<DebianPlan> {
  const architecture = buildable(platform)
  const slim = tag === "slim" || tag.endsWith("-slim")
  const wanted = slim ? tag.replace(/(?:^|-)slim$/, "") : tag
  const isLatest = wanted === "" || wanted === "latest"
  const suite = isLatest ? "stable" : (VERSIONS[wanted] ?? wanted)
  if (!/^[a-z][a-z0-9-]*$/.test(suite)) throw unknownTag(tag)

  const sources = readAptSources()
  const hostCodename = suiteOfHost()
  options.progress({ id: tag, status: "Asking the package mirror" })
  const [main] = partsOf(sources, suite, hostCodename)
  const release = await fetchRelease(main!, options)
  if (release === undefined) throw unknownTag(tag)
  // "latest" is the name of a release, not a moving suite: its sources must not jump to the next one.
  const named = isLatest ? release.codename : suite
  const found: { part: Part; release: Release }[] = [{ part: { ...main!, suite: named }, release }]
  for (const part of partsOf(sources, named, hostCodename).slice(1)) {
    const its = await fetchRelease(part, options)
    if (its !== undefined) found.push({ part, release: its })
  }
  const parts = found.map(({ part }) => part)
  const { stdout: tool } = await run(["dpkg-query", "-W", "mmdebstrap"], options)
  const inputs = [RECIPE, architecture, slim, tool, formatDeb822(parts), ...found.map((one) => one.release.digest)]
  return {
    suite: named,
    codename: release.codename,
    slim,
    architecture,
    parts,
    date: release.date,
    inputs: digestOf(inputs.join("\n")),
  }
}

function unknownTag(tag: string): DhowError {
  return new DhowError("not-found", `manifest for distro.local/debian:${tag} not found: manifest unknown`, {
    hint: "A tag is a suite of this machine's package mirror (bookworm, trixie, stable, …), with or without -slim",
  })
}

/** Packages are unpacked and configured by their own programs, so those must run here. */
function buildable(platform: Platform): string {
  const known = debianArchitecture(platform)
  if (canRun(platform.architecture, hostPlatform().architecture)) return known
  const name = formatPlatform(platform)
  throw new DhowError(
    "unavailable",
    `Cannot build "distro.local/debian" for ${name}: its packages' programs do not run on this host, which is ${formatPlatform(hostPlatform())}`,
    { hint: emulationHint(platform.architecture) },
  )
}

/** Documentation, manuals and translations, which -slim leaves out now and for packages installed later. */
const SLIM_EXCLUDES = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*"]
const SLIM_INCLUDES = ["/usr/share/doc/*/copyright", "/usr/share/locale/locale.alias"]

/** Files of every image: services are not started by packages, and apt keeps no caches that a layer would carry. */
const OVERLAY: Readonly<Record<string, { readonly mode: number; readonly text: string }>> = {
  "usr/sbin/policy-rc.d": { mode: 0o755, text: "#!/bin/sh\n# No service manager runs here.\nexit 101\n" },
  "etc/apt/apt.conf.d/container": {
    mode: 0o644,
    text: [
      'Acquire::Languages "none";',
      'Acquire::GzipIndexes "true";',
      'APT::AutoRemove::SuggestsImportant "false";',
      'APT::Keep-Downloaded-Packages "false";',
      'Dir::Cache::pkgcache "";',
      'Dir::Cache::srcpkgcache "";',
      "",
    ].join("\n"),
  },
  "etc/dpkg/dpkg.cfg.d/container": { mode: 0o644, text: "force-unsafe-io\n" },
}

export async function debianRoot(plan: DebianPlan, options: RecipeOptions): Promise<RootFileSystem> {
  const { directory, progress, signal } = options
  const sources = join(directory, "debian.sources")
  const packages = join(directory, "packages")
  const overlay = join(directory, "overlay")
  writeFileSync(sources, formatDeb822(plan.parts))
  for (const [path, { mode, text }] of Object.entries(OVERLAY)) {
    mkdirSync(join(overlay, path, ".."), { recursive: true, mode: 0o755 })
    writeFileSync(join(overlay, path), text, { mode })
  }
  const child = spawn(
    "setpriv",
    [
      // Its own mount and process namespaces: when the first process dies, so do all, and their mounts are gone. And it
      // dies with the engine.
      ...["--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private", "--pid", "--fork"],
      ...["--kill-child=SIGKILL", "--mount-proc", "mmdebstrap", "--variant=minbase", "--mode=root", "--format=tar"],
      // Whether the architecture's programs run here was asked of the kernel already.
      ...["--skip=output/dev", "--skip=check/qemu", `--architectures=${plan.architecture}`],
      // Merged from the start: bookworm would otherwise install a program, and all of perl, to merge it afterwards.
      ...(plan.codename === "bookworm" ? [`--hook-dir=${MERGED_USR}`, "--include=usr-is-merged"] : []),
      ...(plan.slim ? excludes() : []),
      ...(await acquireOptions(options)).map((option) => `--aptopt=${option}`),
      // Our policy-rc.d is there before anything is configured; mmdebstrap's own would be taken away afterwards.
      "--skip=chroot/policy-rc.d",
      `--extract-hook=sync-in ${quote(overlay)} /`,
      `--customize-hook=${cleanUp(packages)}`,
      ...[plan.suite, "-", sources],
    ],
    {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: directory,
      env: {
        PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin",
        LC_ALL: "C.UTF-8",
        TMPDIR: directory,
        SOURCE_DATE_EPOCH: String(Math.floor(plan.date.getTime() / 1000)),
      },
    },
  )
  const kill = (): void => void child.kill("SIGKILL")
  signal.addEventListener("abort", kill)
  if (signal.aborted) kill()
  const said = { last: "" }
  createInterface({ input: child.stderr }).on("line", (line) => {
    const [, level, text = ""] = /^([IWE]): (.*)$/.exec(line) ?? []
    if (level === "E" || (level === undefined && /^E: |error/i.test(line))) said.last = text || line
    if (
      level === "I" &&
      !/tempdir|automatically chosen|success in|^done$|hook|^skipping|^finding|^chroot architecture/.test(text)
    )
      progress({ id: plan.suite, status: text.slice(0, 200) })
  })
  // "close": every process that could still write here has ended, so the directory may go.
  const ended = new Promise<number | Error>((resolve) => {
    child.once("error", resolve)
    child.once("close", (status) => resolve(status ?? 1))
  })
  return {
    tar: outputOf(child.stdout, ended),
    async finish() {
      const status = await ended
      signal.removeEventListener("abort", kill)
      if (signal.aborted) throw new DhowError("cancelled", "The request was cancelled", { cause: signal.reason })
      if (status !== 0) throw failure(plan, status, said.last)
      const list = readFileSync(packages, "utf8").split("\n").filter(Boolean).sort()
      return {
        packages: list,
        created: plan.date,
        labels: { "local.distro.suite": plan.suite, "local.distro.release-date": plan.date.toISOString() },
        cmd: ["bash"],
        createdBy: `mmdebstrap --variant=minbase ${plan.suite}${plan.slim ? " (slim)" : ""}`,
      }
    },
  }
}

/** The program's output, at whose end the program has ended: nobody sees an archive of a build that is still cleaning up. */
async function* outputOf(stdout: AsyncIterable<Uint8Array>, ended: Promise<unknown>): AsyncGenerator<Uint8Array> {
  yield* stdout
  await ended
}

function failure({ suite }: DebianPlan, status: number | Error, said: string): DhowError {
  if (status instanceof Error && errnoName(status) !== "ENOENT")
    return new DhowError("internal", `Cannot build Debian "${suite}"`, { cause: status })
  if (status instanceof Error || status === 127 || /failed to execute mmdebstrap/.test(said))
    return new DhowError("unavailable", `Cannot build Debian "${suite}": the program "mmdebstrap" is not installed`, {
      hint: "Install the package mmdebstrap",
    })
  return new DhowError("unavailable", `Cannot build Debian "${suite}": ${said || `mmdebstrap ended with ${status}`}`, {
    hint: "apt-get update on this machine should work, and its keyring know the suite",
  })
}

function excludes(): readonly string[] {
  return [
    ...SLIM_EXCLUDES.map((pattern) => `--dpkgopt=path-exclude=${pattern}`),
    ...SLIM_INCLUDES.map((pattern) => `--dpkgopt=path-include=${pattern}`),
  ]
}

/** How the host's apt reaches its mirror; mmdebstrap does not read that configuration by itself. */
async function acquireOptions({ signal }: RecipeOptions): Promise<readonly string[]> {
  const { stdout } = await run(["apt-config", "dump"], { signal })
  return stdout
    .split("\n")
    .filter((line) => /^Acquire::(?:Check-Valid-Until|Retries|https?::(?:Proxy|Verify-|CaInfo|Timeout))/i.test(line))
    .filter((line) => !line.includes('""'))
}

/** Shell text, run by mmdebstrap with the tree as its first argument. */
function cleanUp(packages: string): string {
  const format = ["Package", "Version"].map((field) => `\${${field}}`).join("=")
  return [
    `dpkg-query --admindir="$1/var/lib/dpkg" --show --showformat='${format}\\n' > ${quote(packages)}`,
    'mv "$1"/etc/apt/sources.list.d/*debian.sources "$1/etc/apt/sources.list.d/debian.sources"',
    // What is this host's, or this build's.
    'rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1/etc/resolv.conf" "$1/etc/hostname" "$1/etc/machine-id"',
    'rm -f "$1/var/lib/dbus/machine-id" "$1/var/lib/systemd/random-seed" "$1/var/cache/ldconfig/aux-cache"',
    'rm -f "$1"/var/cache/apt/*.bin "$1"/var/cache/debconf/*-old "$1"/var/lib/dpkg/*-old',
    'find "$1/var/log" -type f -delete',
  ].join(" && ")
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
