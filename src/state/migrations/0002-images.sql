-- Owned by src/engine/images.

-- One image for one platform. The id is the digest of its configuration, as in Docker's image store.
CREATE TABLE images (
  id         TEXT PRIMARY KEY,
  manifest   TEXT NOT NULL,          -- digest of the manifest it came with or was given
  os         TEXT NOT NULL,
  arch       TEXT NOT NULL,
  variant    TEXT NOT NULL DEFAULT '',
  size       INTEGER NOT NULL,       -- bytes of the unpacked layers
  created_at INTEGER NOT NULL,       -- from the configuration
  pulled_at  INTEGER NOT NULL,
  last_used  INTEGER
) STRICT, WITHOUT ROWID;

-- A name and what it points to: an index, or a manifest.
CREATE TABLE tags (
  reference  TEXT PRIMARY KEY,       -- canonical: docker.io/library/busybox:latest
  target     TEXT NOT NULL,          -- digest of an index or manifest blob
  tagged_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which images a target (index or manifest) holds on this machine.
CREATE TABLE target_images (
  target   TEXT NOT NULL,
  image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  PRIMARY KEY (target, image_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX target_images_by_image ON target_images (image_id);
