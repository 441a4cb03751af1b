-- Owned by src/engine/registry. What was pushed to this machine's registry, or fetched by it for others. A blob or manifest
-- has the digest that its clients call it by, sha256 or sha512, and the sha256 under which the content store keeps it.

CREATE TABLE registry_manifests (
  repository    TEXT NOT NULL,
  digest        TEXT NOT NULL,
  content       TEXT NOT NULL,
  media_type    TEXT NOT NULL,
  size          INTEGER NOT NULL,
  subject       TEXT,               -- digest of the manifest that this one is about
  artifact_type TEXT,
  annotations   TEXT,               -- JSON, where it has a subject
  pushed_at     INTEGER NOT NULL,   -- milliseconds since 1970
  pulled_at     INTEGER NOT NULL,   -- last use; pushing is one
  PRIMARY KEY (repository, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX registry_manifests_by_subject ON registry_manifests (repository, subject) WHERE subject IS NOT NULL;

CREATE TABLE registry_tags (
  repository TEXT NOT NULL,
  tag        TEXT NOT NULL,
  digest     TEXT NOT NULL,
  tagged_at  INTEGER NOT NULL,
  pulled_at  INTEGER NOT NULL,
  checked_at INTEGER,               -- where it is fetched from elsewhere: when that was last asked
  PRIMARY KEY (repository, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX registry_tags_by_digest ON registry_tags (repository, digest);

-- Which blobs a repository has. One that nothing links to is kept for a while after it was last touched: its manifest
-- may be on its way.
CREATE TABLE registry_blobs (
  repository TEXT NOT NULL,
  digest     TEXT NOT NULL,
  content    TEXT NOT NULL,
  size       INTEGER NOT NULL,
  touched_at INTEGER NOT NULL,
  PRIMARY KEY (repository, digest)
) STRICT, WITHOUT ROWID;

-- What a manifest names: a blob, or for an index another manifest.
CREATE TABLE registry_links (
  repository TEXT NOT NULL,
  manifest   TEXT NOT NULL,
  digest     TEXT NOT NULL,
  kind       TEXT NOT NULL,         -- blob, manifest
  size       INTEGER NOT NULL,
  PRIMARY KEY (repository, manifest, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX registry_links_by_digest ON registry_links (repository, digest);

-- An upload under way: how far it is, its file under registry/uploads says.
CREATE TABLE registry_uploads (
  id         TEXT PRIMARY KEY,
  repository TEXT NOT NULL,
  algorithm  TEXT NOT NULL,
  started_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE registry_listeners (
  address  TEXT PRIMARY KEY,
  settings TEXT NOT NULL            -- JSON
) STRICT, WITHOUT ROWID;

CREATE TABLE registry_retention (
  pattern TEXT PRIMARY KEY,
  policy  TEXT NOT NULL             -- JSON
) STRICT, WITHOUT ROWID;
