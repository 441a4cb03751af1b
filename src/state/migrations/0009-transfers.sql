-- Owned by src/engine/images.

-- How the tar of a layer becomes the compressed bytes again, where that is known: JSON. The first of these bytes, where
-- others made them, to find it out by.
ALTER TABLE layer_sources ADD COLUMN recipe TEXT;
ALTER TABLE layer_sources ADD COLUMN sample BLOB;

-- Repositories where a blob was seen. A hint: it may be gone from there.
CREATE TABLE blob_places (
  digest  TEXT NOT NULL,
  domain  TEXT NOT NULL,
  path    TEXT NOT NULL,
  seen_at INTEGER NOT NULL,          -- milliseconds since 1970
  PRIMARY KEY (digest, domain, path)
) STRICT, WITHOUT ROWID;

-- Manifests about another one (signatures, attestations, lists of contents): here as long as that one is.
CREATE TABLE referrers (
  subject TEXT NOT NULL,
  digest  TEXT NOT NULL,
  tag     TEXT NOT NULL,             -- the tag that leads to it in older schemes; empty where the registry lists it
  PRIMARY KEY (subject, digest, tag)
) STRICT, WITHOUT ROWID;
