// CDI devices in a container's specification: variables, device nodes, mounts and hooks that their specifications name.
import { lstatSync } from "node:fs"
import { DhowError } from "../../lib/errors.ts"
import type { DeviceRule, RuntimeDevice, RuntimeHook, RuntimeMount, RuntimeSpec } from "../../oci/runtime-spec.ts"
import type { DeviceRequest } from "../../wire/container.ts"
import { deviceNumbers } from "../devices.ts"
import { readCdiDevices } from "./devices.ts"
import { requestedDevices } from "./requests.ts"
import type { DeviceNode, Edits } from "./spec-file.ts"

/** The same specification where nothing is asked for. */
export function withCdiDevices(
  spec: RuntimeSpec,
  requests: readonly DeviceRequest[] | null | undefined,
  directories: readonly string[],
): RuntimeSpec {
  if (!requests?.length) return spec
  const chosen = requestedDevices(requests, readCdiDevices(directories))
  // What a file says for all of its devices comes once, before the first of them.
  const seen = new Set<Edits>()
  return chosen
    .flatMap(({ spec: file, edits }) => [file.edits, edits])
    .filter((edits) => !seen.has(edits) && seen.add(edits))
    .reduce(applyEdits, spec)
}

export function applyEdits(spec: RuntimeSpec, edits: Edits): RuntimeSpec {
  const nodes = edits.deviceNodes.map((node) => resolveNode(node, spec.process.user))
  const rules = nodes.flatMap(({ device, access }): DeviceRule[] =>
    device.type === "p" || access === ""
      ? []
      : [{ allow: true, type: device.type as "b" | "c", major: device.major, minor: device.minor, access }],
  )
  const added = new Set(nodes.map(({ device }) => device.path))
  const mounts = edits.mounts.map(
    ({ hostPath, containerPath, type = "bind", options }): RuntimeMount => ({
      destination: containerPath,
      type,
      source: hostPath,
      options: options.length > 0 ? options : ["rbind", "ro"],
    }),
  )
  const over = new Set(mounts.map(({ destination }) => destination))
  const gids = edits.additionalGids.filter((gid) => gid !== 0)
  return {
    ...spec,
    process: {
      ...spec.process,
      env: mergeEnv(spec.process.env, edits.env),
      user: {
        ...spec.process.user,
        additionalGids: [...new Set([...(spec.process.user.additionalGids ?? []), ...gids])],
      },
    },
    mounts: [...spec.mounts.filter(({ destination }) => !over.has(destination)), ...mounts],
    ...withHooks(spec, edits),
    linux: {
      ...spec.linux,
      devices: [...spec.linux.devices.filter(({ path }) => !added.has(path)), ...nodes.map(({ device }) => device)],
      resources: { ...spec.linux.resources, devices: [...(spec.linux.resources.devices ?? []), ...rules] },
    },
  }
}

function mergeEnv(before: readonly string[], added: readonly string[]): string[] {
  const nameOf = (entry: string): string => entry.slice(0, entry.indexOf("="))
  const names = new Set(added.map(nameOf))
  return [...before.filter((entry) => !names.has(nameOf(entry))), ...added]
}

function withHooks({ hooks }: RuntimeSpec, { hooks: added }: Edits): Pick<RuntimeSpec, "hooks"> {
  if (added.length === 0) return hooks === undefined ? {} : { hooks }
  const all: Record<string, readonly RuntimeHook[]> = { ...hooks }
  for (const { hookName, ...hook } of added) all[hookName] = [...(all[hookName] ?? []), hook]
  return { hooks: all }
}

type User = { readonly uid: number; readonly gid: number }

/** What the file leaves out is read from the host's own node; it belongs to the container's user unless it says to whom. */
function resolveNode(node: DeviceNode, user: User): { readonly device: RuntimeDevice; readonly access: string } {
  const found = node.type !== undefined && (node.type === "p" || node.major !== undefined) ? undefined : hostNode(node)
  const uid = node.uid ?? (user.uid > 0 ? user.uid : found?.uid)
  const gid = node.gid ?? (user.gid > 0 ? user.gid : found?.gid)
  const fileMode = node.fileMode ?? found?.fileMode
  return {
    device: {
      path: node.path,
      type: (node.type as RuntimeDevice["type"] | undefined) ?? found!.type,
      major: node.major ?? found?.major ?? 0,
      minor: node.minor ?? found?.minor ?? 0,
      ...(fileMode === undefined ? {} : { fileMode }),
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    },
    access: node.permissions ?? "rwm",
  }
}

function hostNode({ hostPath, path, type }: DeviceNode): RuntimeDevice {
  const from = hostPath ?? path
  const failure = (cause: Error): DhowError =>
    new DhowError("invalid", `CDI device injection failed: failed to stat CDI host device "${from}"`, { cause })
  let found: RuntimeDevice | undefined
  try {
    found = deviceNumbers(path, lstatSync(from))
  } catch (cause) {
    throw failure(cause as Error)
  }
  if (found === undefined) throw failure(new Error("it is not a device node"))
  if (type !== undefined && type !== found.type)
    throw failure(new Error(`its type is "${found.type}" and not "${type}"`))
  return found
}
