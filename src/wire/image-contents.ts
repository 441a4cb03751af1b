// What dhow tells of images' files and layers, under /dhow/images. Types only. Layers count from 1, the lowest; paths have
// no leading slash, and their bytes that are no UTF-8 are lone surrogates (see lib/tar/names.ts).

export type FileType = "file" | "directory" | "symlink" | "character-device" | "block-device" | "fifo"

export type FileEntry = {
  readonly type: FileType
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** As a reader of the file sees it; 0 for everything but files. */
  readonly size: number
  /** Seconds since 1970. */
  readonly mtime: number
  /** Of a symbolic link. */
  readonly target?: string
  /** Of a device: "1:3". */
  readonly device?: string
}

/** One change that a layer makes. */
export type LayerFile = FileEntry & {
  readonly path: string
  readonly change: "added" | "modified" | "removed"
  readonly layer: number
  /** Bytes of earlier layers that this change made useless. */
  readonly wasted: number
}

/** What a layer does in all. */
export type LayerFiles = {
  readonly layer: number
  readonly added: number
  readonly modified: number
  readonly removed: number
  /** Bytes of the files that the layer stores. */
  readonly size: number
  /** Those of them that later layers made useless. */
  readonly wasted: number
}

/** Lines of GET /dhow/images/{name}/files: the layers, lowest first, then the files. */
export type FilesLine =
  | { readonly layer: LayerFiles & { readonly diffId: string; readonly createdBy: string } }
  | { readonly file: LayerFile }

export type FilesRequest = {
  /** The file itself, or what is in it. */
  readonly path?: string
  readonly layer?: number
  /** Only changes that made bytes useless. */
  readonly wasted?: boolean
  readonly sort: "size" | "path"
}

export type Aspect = "type" | "size" | "content" | "mode" | "owner" | "target" | "device" | "xattrs" | "mtime"

/** Lines of GET /dhow/images/{name}/diff. */
export type FileDifference =
  | { readonly path: string; readonly kind: "added"; readonly after: FileEntry }
  | { readonly path: string; readonly kind: "removed"; readonly before: FileEntry }
  | {
      readonly path: string
      readonly kind: "modified"
      readonly aspects: readonly Aspect[]
      readonly before: FileEntry
      readonly after: FileEntry
    }

export type TreeImage = {
  readonly id: string
  /** As a user writes them; empty for an image without a name. */
  readonly names: readonly string[]
  readonly platform: string
  readonly size: number
  /** Bytes of layers that other images stand on too. */
  readonly shared: number
  readonly unique: number
}

export type TreeLayer = {
  readonly chainId: string
  readonly diffId: string
  readonly size: number
  readonly createdBy: string
  /** How many images stand on it. */
  readonly users: number
  /** Those whose topmost layer it is. */
  readonly images: readonly TreeImage[]
  readonly children: readonly TreeLayer[]
}

/** GET /dhow/images/tree. */
export type ImageForest = {
  readonly layers: readonly TreeLayer[]
  /** Images without a layer. */
  readonly bare: readonly TreeImage[]
  /** Bytes of all layers, each counted once. */
  readonly size: number
}

/** POST /dhow/images/{name}/squash. */
export type Squashed = {
  readonly Id: string
  readonly Before: { readonly Layers: number; readonly Size: number }
  readonly After: { readonly Layers: number; readonly Size: number }
}

/** POST /dhow/images/{name}/convert. */
export type Converted = {
  /** The digest that the new name leads to. */
  readonly Digest: string
  readonly Manifests: readonly { readonly Digest: string; readonly Platform: string; readonly Size: number }[]
}

/** GET /dhow/images/mounts, POST /dhow/images/{name}/mount. */
export type ImageMount = {
  readonly Id: string
  readonly Names: readonly string[]
  readonly Platform: string
  readonly Target: string
  /** Seconds since 1970. */
  readonly Created: number
}
