-- A volume gets an id apart from its name, and a directory that stays when it is renamed. Owned by src/engine/volumes.

CREATE TABLE volumes_by_id (
  id         TEXT PRIMARY KEY,       -- 64 hexadecimal digits
  name       TEXT NOT NULL UNIQUE,
  directory  TEXT NOT NULL UNIQUE,   -- below volumes/: the first name, or the id where that was taken
  anonymous  INTEGER NOT NULL,       -- 0 named, 1 anonymous, 2 to be removed: its container is gone
  created_at INTEGER NOT NULL,       -- milliseconds since 1970
  last_used  INTEGER,                -- when the last container that used it ended; NULL: none has
  record     TEXT NOT NULL           -- JSON: driver, options, labels, size
) STRICT, WITHOUT ROWID;

INSERT INTO volumes_by_id (id, name, directory, anonymous, created_at, record)
  SELECT lower(hex(randomblob(32))), name, name, anonymous, created_at, record FROM volumes;
DROP TABLE volumes;
ALTER TABLE volumes_by_id RENAME TO volumes;

CREATE TABLE volume_snapshots (
  id         TEXT PRIMARY KEY,
  volume     TEXT NOT NULL REFERENCES volumes (id) ON DELETE CASCADE,
  name       TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  record     TEXT NOT NULL,          -- JSON: bytes, files
  UNIQUE (volume, name)
) STRICT, WITHOUT ROWID;
