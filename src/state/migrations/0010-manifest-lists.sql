-- Owned by src/engine/manifests. Manifest lists that the user puts together, entry by entry, before they are pushed.
CREATE TABLE manifest_lists (
  list      TEXT NOT NULL,           -- canonical name with its tag
  reference TEXT NOT NULL,           -- what the entry was named by: "docker.io/library/app:arm64"
  position  INTEGER NOT NULL,
  entry     TEXT NOT NULL,           -- JSON: descriptor with platform, and the configuration's digest
  PRIMARY KEY (list, reference)
) STRICT, WITHOUT ROWID;
