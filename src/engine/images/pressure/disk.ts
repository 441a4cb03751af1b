// How full the file system of the state root is, counted as df does: what only root may use is not there.
import { statfsSync } from "node:fs"

/** Bytes. */
export type DiskFill = { readonly used: number; readonly total: number }

export function diskFill(root: string): DiskFill {
  const { blocks, bfree, bavail, bsize } = statfsSync(root)
  const used = (blocks - bfree) * bsize
  return { used, total: used + bavail * bsize }
}

/** "83%", rounded up as df does. */
export function percent({ used, total }: DiskFill): string {
  return `${total === 0 ? 100 : Math.ceil((used * 100) / total)}%`
}
