// Which platforms run on this host, and the registration of emulators for those that its processor does not run. What is
// registered is the machine's, not the engine's: it happens on request only, and lasts until the machine ends.
import { accessSync, constants, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DhowError, errnoName } from "../lib/errors.ts"
import { mount } from "../lib/syscalls/mount.ts"
import { formatPlatform, hostPlatform, normalizePlatform, type Platform, runsNatively } from "../oci/platform.ts"
import {
  BINFMT_MISC,
  type Handler,
  handlerOf,
  isStatic,
  isUsable,
  MACHINES,
  ownRegistration,
  packagedRegistration,
  readHandlers,
} from "../runtime/emulation.ts"
import type { PlatformStatus } from "../wire/platform.ts"
import type { Platforms } from "./contract.ts"

/** Those that images are commonly made for; others can be asked for by name. */
const LISTED = ["amd64", "arm64", "arm/v7", "arm/v6", "386", "ppc64le", "riscv64", "s390x", "loong64", "mips64le"]
const INSTALL_HINT = "apt-get install qemu-user-static, then: dhow platform install"

/** What makes programs for the architecture run here. */
export function emulationHint(architecture: string): string {
  const register = `dhow platform install linux/${architecture}`
  return emulatorOf(architecture) === undefined
    ? `To have it emulated: apt-get install qemu-user-static && ${register}`
    : `To have it emulated: ${register}`
}

export function openPlatforms(): Platforms {
  return {
    list: async () => {
      const handlers = readHandlers()
      return LISTED.map((name) => `linux/${name}`)
        .map((name) => statusOf(name, handlers))
        .sort((a, b) => order(a) - order(b))
    },
    install: async (platforms) => {
      const wanted = platforms.length === 0 ? installable() : platforms.map(checked)
      if (wanted.length === 0)
        throw new DhowError("not-found", "No emulator is installed on this machine", { hint: INSTALL_HINT })
      mountBinfmt()
      for (const architecture of new Set(wanted)) register(architecture)
      return statuses(platforms, wanted)
    },
    remove: async (platforms) => {
      const handlers = readHandlers() ?? []
      const wanted = platforms.map(checked)
      for (const architecture of new Set(wanted)) {
        const handler = handlerOf(handlers, architecture)
        if (handler === undefined)
          throw new DhowError("not-found", `No emulation is registered for linux/${architecture}`)
        write(join(BINFMT_MISC, handler.name), "-1", `Cannot remove the emulation of linux/${architecture}`)
      }
      return statuses(platforms, wanted)
    },
  }
}

function order({ State }: PlatformStatus): number {
  return ["native", "emulated", "installed", "missing"].indexOf(State)
}

function statuses(platforms: readonly Platform[], wanted: readonly string[]): PlatformStatus[] {
  const handlers = readHandlers()
  const names = platforms.length === 0 ? wanted.map((one) => `linux/${one}`) : platforms.map(formatPlatform)
  return [...new Set(names)].map((name) => statusOf(name, handlers))
}

function statusOf(name: string, handlers: readonly Handler[] | undefined): PlatformStatus {
  const [, architecture = ""] = name.split("/")
  const status = { Platform: name, Emulator: "", Handler: "", Problem: "" }
  if (runsNatively(architecture, hostPlatform().architecture)) return { ...status, State: "native" }
  const handler = handlerOf(handlers ?? [], architecture)
  if (handler !== undefined) {
    const known = { ...status, Emulator: handler.interpreter, Handler: handler.name }
    if (isUsable(handler)) return { ...known, State: "emulated" }
    const why = handler.isEnabled ? "registered without the flag F: containers do not see it" : "disabled"
    return { ...known, State: "installed", Problem: why }
  }
  const emulator = emulatorOf(architecture)
  return emulator === undefined
    ? { ...status, State: "missing", Problem: "no emulator is installed" }
    : { ...status, State: "installed", Emulator: emulator, Problem: "not registered" }
}

/** Path of the program that would be registered. */
function emulatorOf(architecture: string): string | undefined {
  const packaged = packagedRegistration(architecture)?.split(":")[6]
  if (packaged !== undefined && isExecutable(packaged)) return packaged
  const qemu = MACHINES[architecture]?.qemu
  if (qemu === undefined) return undefined
  const found = [Bun.which(`qemu-${qemu}-static`), Bun.which(`qemu-${qemu}`)]
  return found.find((path): path is string => path !== null && isStatic(path))
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function installable(): readonly string[] {
  const foreign = LISTED.map((name) => name.split("/")[0]!).filter(
    (architecture) => !runsNatively(architecture, hostPlatform().architecture),
  )
  return [...new Set(foreign)].filter((architecture) => emulatorOf(architecture) !== undefined)
}

/** The architecture of a platform that emulation could be registered for. */
function checked(platform: Platform): string {
  const { os, architecture } = normalizePlatform(platform)
  const name = formatPlatform(platform)
  if (os !== "linux" || MACHINES[architecture] === undefined)
    throw new DhowError("invalid", `Nothing is known that emulates ${name}`)
  if (runsNatively(architecture, hostPlatform().architecture))
    throw new DhowError("invalid", `${name} needs no emulation: this host runs it`)
  return architecture
}

/** systemd mounts it on demand; where it does not run, nobody has. */
function mountBinfmt(): void {
  if (readHandlers() !== undefined) return
  const failure = `Cannot mount binfmt_misc at "${BINFMT_MISC}"`
  if (statSync(BINFMT_MISC, { throwIfNoEntry: false }) === undefined)
    throw new DhowError("unavailable", `${failure}: this kernel has it not`, { hint: "modprobe binfmt_misc" })
  try {
    mount("binfmt_misc", BINFMT_MISC, { type: "binfmt_misc" })
  } catch (cause) {
    const code = errnoName(cause)
    throw new DhowError("unavailable", failure, {
      cause,
      hint: code === "ENODEV" ? "modprobe binfmt_misc" : "The engine must be root of the machine, not of a container",
    })
  }
}

function register(architecture: string): void {
  const handler = handlerOf(readHandlers() ?? [], architecture)
  if (handler !== undefined && isUsable(handler)) return
  const failure = `Cannot register an emulator for linux/${architecture}`
  const emulator = emulatorOf(architecture)
  if (emulator === undefined) throw new DhowError("not-found", `${failure}: none is installed`, { hint: INSTALL_HINT })
  // One that containers cannot use makes room: its name may be the one that is wanted.
  if (handler !== undefined) write(join(BINFMT_MISC, handler.name), "-1", failure)
  const packaged = packagedRegistration(architecture)
  const line = packaged?.split(":")[6] === emulator ? withFlagF(packaged) : ownRegistration(architecture, emulator)
  write(join(BINFMT_MISC, "register"), line!, failure)
}

function withFlagF(registration: string): string {
  return registration.endsWith(":") || !registration.slice(registration.lastIndexOf(":")).includes("F")
    ? `${registration}F`
    : registration
}

function write(path: string, text: string, failure: string): void {
  try {
    writeFileSync(path, text)
  } catch (cause) {
    throw new DhowError("unavailable", failure, {
      cause,
      hint: "The engine must be root of the machine, and /proc/sys writable",
    })
  }
}
