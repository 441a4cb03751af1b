// What the engine offers of volumes: as Docker does, and beyond that.
import type { VolumeDetail, VolumeInspect, VolumeProgress, VolumeSnapshotSummary } from "../../wire/system.ts"
import type { Filters } from "./filters.ts"

export interface Volumes {
  list(filters: Filters): Promise<VolumeInspect[]>
  inspect(name: string): Promise<VolumeInspect>
  create(options: {
    readonly name?: string
    readonly driver?: string
    readonly options?: Record<string, string>
    readonly labels?: Record<string, string>
  }): Promise<VolumeInspect>
  remove(name: string, options: { readonly force: boolean }): Promise<void>
  prune(filters: Filters): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }>
}

/** References are names or ids. A generator that is returned, or whose signal is aborted, leaves nothing of its work. */
export interface VolumeWork {
  details(filters: Filters): Promise<VolumeDetail[]>
  detail(reference: string): Promise<VolumeDetail>
  /** Also of a volume that is mounted: containers keep it, under its new name. */
  rename(reference: string, to: string): Promise<VolumeInspect>
  clone(reference: string, options: CopyOptions & { readonly to: string }): AsyncGenerator<VolumeProgress>
  snapshot(reference: string, options: CopyOptions & { readonly name?: string }): AsyncGenerator<VolumeProgress>
  snapshots(reference: string): Promise<VolumeSnapshotSummary[]>
  removeSnapshot(reference: string, name: string): Promise<void>
  /** Refused while a container runs with it. */
  restore(
    reference: string,
    options: { readonly snapshot: string; readonly signal: AbortSignal },
  ): AsyncGenerator<VolumeProgress>
  /** A tar of its files, to be read to its end, or its iterator returned. */
  export(reference: string, options: CopyOptions): Promise<AsyncIterable<Uint8Array>>
  /** A volume with the files of a tar, compressed or not; with `replace` one that is there may get them. */
  import(
    name: string,
    archive: AsyncIterable<Uint8Array>,
    options: {
      readonly replace: boolean
      readonly options?: Readonly<Record<string, string>>
      readonly labels?: Readonly<Record<string, string>>
      readonly signal: AbortSignal
    },
  ): Promise<VolumeInspect>
  /** Lets a volume with a limit hold more. */
  resize(reference: string, size: string): Promise<VolumeDetail>
}

export type CopyOptions = {
  /** Containers that write to it are paused meanwhile, so that the copy is of one moment. */
  readonly pause: boolean
  readonly signal: AbortSignal
}
