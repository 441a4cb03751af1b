-- Owned by src/content and src/snapshot.

-- Immutable bytes in content/sha256/<hex>. The row comes after the file is durable.
CREATE TABLE blobs (
  digest     TEXT PRIMARY KEY,
  size       INTEGER NOT NULL,
  created_at INTEGER NOT NULL -- milliseconds since 1970
) STRICT, WITHOUT ROWID;

-- What keeps a blob or layer that nothing else refers to yet; expires by itself.
CREATE TABLE leases (
  id         TEXT NOT NULL,
  digest     TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (id, digest)
) STRICT, WITHOUT ROWID;

-- A compressed layer that was seen, and the tar it unpacks to.
CREATE TABLE layer_sources (
  digest     TEXT PRIMARY KEY, -- of the compressed bytes
  diff_id    TEXT NOT NULL,
  media_type TEXT NOT NULL,
  size       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A layer that can be mounted, made by the snapshotter named here from the blob diff_id.
CREATE TABLE layers (
  diff_id     TEXT PRIMARY KEY,
  snapshotter TEXT NOT NULL,
  key         TEXT NOT NULL UNIQUE, -- directory under snapshots/
  size        INTEGER NOT NULL,     -- bytes of the unpacked files
  files       INTEGER NOT NULL,
  rooted      INTEGER NOT NULL      -- 1 where the layer says what its root directory's mode and owner are
) STRICT, WITHOUT ROWID;

-- A writable file system on top of layers, by key (a container's id, a build step).
CREATE TABLE snapshots (
  key         TEXT PRIMARY KEY,
  snapshotter TEXT NOT NULL,
  layers      TEXT NOT NULL,        -- JSON array of diff ids, lowest first
  created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
