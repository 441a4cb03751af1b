// Every byte under the state root as rows: the largest of each kind first, nothing that takes no space. The sizes add up.
import type { DiskMap } from "../../wire/disk.ts"
import { humanSize, shortId } from "../render/human.ts"
import type { Columns, Row } from "../render/rows.ts"

export const MAP_COLUMNS: Columns = {
  headers: { Kind: "KIND", Object: "OBJECT", Size: "SIZE", Note: "NOTE" },
  shown: ["Kind", "Object", "Size", "Note"],
}

type Line = { readonly kind: string; readonly object: string; readonly size: number; readonly note?: string }

export function mapRows(map: DiskMap): Row[] {
  return [...own(map), ...common(map)]
    .filter(({ size }) => size > 0)
    .map(({ kind, object, size, note = "" }) => ({ Kind: kind, Object: object, Size: humanSize(size), Note: note }))
}

function own({ Images, Containers, Volumes }: DiskMap): Line[] {
  const bySize = (a: Line, b: Line): number => b.size - a.size
  const images = Images.map(({ Id, Names, Unique, Shared }) => ({
    kind: "image",
    object: Names[0] ?? shortId(Id),
    size: Unique,
    note: Shared > 0 ? `and ${humanSize(Shared)} shared with others` : "",
  }))
  const containers = Containers.map(({ Name, Written, Logs, Other }) => ({
    kind: "container",
    object: Name,
    size: Written + Logs + Other,
    note: `files ${humanSize(Written)}, logs ${humanSize(Logs)}`,
  }))
  const volumes = Volumes.map(({ Name, Size }) => ({ kind: "volume", object: Name, size: Size }))
  return [images, containers, volumes].flatMap((lines: Line[]) => lines.sort(bySize))
}

function common(map: DiskMap): Line[] {
  return [
    { kind: "layers", object: "of several images", size: map.SharedByImages },
    { kind: "registry", object: "what it serves", size: map.ServedByRegistry },
    { kind: "registry", object: "uploads and fetches", size: map.Registry },
    { kind: "builds", object: "file systems of steps", size: map.Snapshots },
    { kind: "garbage", object: "needed by nothing", size: map.Garbage, note: "goes with the next collection" },
    {
      kind: "download",
      object: "cut off",
      size: map.PartialDownloads,
      note: "goes on with the next pull, kept for a week",
    },
    { kind: "download", object: "being stored", size: map.Ingests },
    { kind: "trash", object: "being deleted", size: map.Trash },
    { kind: "stray", object: "named by no row", size: map.Strays, note: "see dhow fsck" },
    { kind: "logs", object: "of containers that are gone", size: map.KeptLogs, note: "kept on request" },
    { kind: "database", object: "dhow.db", size: map.Database },
    { kind: "reserve", object: "for a full disk", size: map.Reserve },
    { kind: "other", object: "directories", size: map.Directories },
    { kind: "other", object: "not of this engine", size: map.Unknown },
  ]
}
