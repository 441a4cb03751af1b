// Commit: what a container wrote becomes a layer, and its configuration an image's. The container is paused meanwhile; an
// engine that dies in here lets it go on when it comes back.
import { crashpoint } from "../../lib/crashpoint.ts"
import type { ImageRunConfig } from "../../oci/image-config.ts"
import type { ContainerConfig } from "../../wire/container.ts"
import type { Containers } from "../contract.ts"
import { applyChanges } from "../images/changes.ts"
import { attributesOf } from "./attributes.ts"
import { refuseVanishing, written } from "./changes.ts"
import { holdStill } from "./hold-still.ts"
import { mergeCommitted } from "./merge-committed.ts"
import type { ContainerParts } from "./parts.ts"

type CommitOptions = Parameters<Containers["commit"]>[1]

export async function commitContainer(
  parts: ContainerParts,
  reference: string,
  options: CommitOptions,
): Promise<{ readonly id: string }> {
  const { record, state } = parts.store.resolve(reference)
  refuseVanishing(record, state, "commit")
  const { comment = "", author = "", changes, pause, signal } = options
  const own = runConfigOf(record.config)
  const given = options.config === undefined ? own : runConfigOf(options.config)
  const commit = parts.prepareCommit({
    base: record,
    run: mergeCommitted(applyChanges(given, changes), own),
    createdBy: (record.config.Cmd ?? []).join(" "),
    comment,
    author,
    ...(options.reference === undefined ? {} : { reference: options.reference }),
  })
  using _files = parts.readers.hold(record.id)
  await using still = pause ? await holdStill(parts, record.id) : undefined
  if (still !== undefined) crashpoint("container.commit:paused")
  const { id, name } = await commit(parts.uppers.layer(written(record), signal), signal)
  parts.events.emit("container", "commit", record.id, attributesOf(record, { comment, imageID: id, imageRef: name }))
  return { id }
}

/** What of a container's configuration an image has too. */
function runConfigOf(config: ContainerConfig): ImageRunConfig {
  const { User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels } = config
  const { StopSignal, ArgsEscaped, Healthcheck, OnBuild, Shell } = config
  const all = { User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels }
  const run = { ...all, StopSignal, ArgsEscaped, Healthcheck, OnBuild, Shell }
  const said = Object.entries(run).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(said) as ImageRunConfig
}
