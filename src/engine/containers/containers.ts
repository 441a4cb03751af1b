// The containers noun, as the API sees it: each method is one use-case of this folder.

import { decompress } from "../../lib/compression.ts"
import type { Containers, LogOptions, WaitCondition } from "../contract.ts"
import { chunksOf } from "../images/streams.ts"
import { attachContainer } from "./attach.ts"
import { containerChanges, exportContainer } from "./changes.ts"
import { connectContainer, disconnectContainer } from "./connect.ts"
import { archiveContainerPath, extractToContainer, statContainerPath } from "./copy.ts"
import { createContainer } from "./create.ts"
import { inspectContainer } from "./inspect.ts"
import { listContainers } from "./list.ts"
import { containerLogs } from "./logs.ts"
import type { ContainerParts } from "./parts.ts"
import { openPrune } from "./prune.ts"
import { isRunning } from "./record.ts"
import { removeContainer } from "./remove.ts"
import { renameContainer } from "./rename.ts"
import { resizeContainer } from "./resize.ts"
import { startContainer } from "./start.ts"
import { containerStats } from "./stats.ts"
import { killContainer, pauseContainer, restartContainer, stopContainer, unpauseContainer } from "./stop.ts"
import { topContainer } from "./top.ts"

export function openContainers(parts: ContainerParts): Containers {
  return {
    create: (options) => createContainer(parts, options),
    start: (reference) => startContainer(parts, reference),
    stop: (reference, options) => stopContainer(parts, reference, options),
    restart: (reference, options) => restartContainer(parts, reference, options),
    kill: (reference, signal, options) => killContainer(parts, reference, signal, options),
    pause: (reference) => pauseContainer(parts, reference),
    unpause: (reference) => unpauseContainer(parts, reference),
    wait: async (reference, condition, signal) => waitForContainer(parts, reference, { condition, signal }),
    remove: (reference, options) => removeContainer(parts, reference, options),
    list: (options) => listContainers(parts, options),
    inspect: (reference, options) => inspectContainer(parts, reference, options),
    logs: (reference, options: LogOptions) => containerLogs(parts, reference, options),
    attach: (reference, options) => attachContainer(parts, reference, options),
    resize: (reference, size) => resizeContainer(parts, reference, size),
    statPath: (reference, path) => statContainerPath(parts, reference, path),
    archive: (reference, options) => archiveContainerPath(parts, reference, options),
    extract: async (reference, archive, options) => {
      const { bytes } = await decompress(chunksOf(archive, options.signal), { signal: options.signal })
      await extractToContainer(parts, reference, bytes, options)
    },
    connect: (reference, network, settings) => connectContainer(parts, reference, { network, settings }),
    disconnect: (reference, network, options) =>
      disconnectContainer(parts, reference, { network, force: options?.force ?? false }),
    rename: (reference, name) => renameContainer(parts, reference, name),
    stats: async (reference, options) => containerStats(parts, reference, options),
    top: (reference, psArguments) => topContainer(parts, reference, psArguments),
    async update(reference, changes, options) {
      const { updateContainer } = await import("./update/update.ts")
      return await updateContainer(parts, reference, changes, options?.caller ?? (() => undefined))
    },
    changes: (reference) => containerChanges(parts, reference),
    export: (reference, { signal }) => exportContainer(parts, reference, signal),
    commit: async (reference, options) => (await import("./commit.ts")).commitContainer(parts, reference, options),
    prune: openPrune(parts),
  }
}

function waitForContainer(
  parts: ContainerParts,
  reference: string,
  { condition, signal }: { condition: WaitCondition; signal: AbortSignal },
) {
  const { record, state } = parts.store.resolve(reference)
  const over = condition === "not-running" && !isRunning(state) && state.status !== "restarting"
  // Inside an object, or `await` would wait for the end of the container instead of the registration.
  const result = over
    ? Promise.resolve({ StatusCode: state.exitCode, ...(state.error ? { Error: { Message: state.error } } : {}) })
    : parts.live.of(record.id).wait(condition, signal)
  return { result }
}
