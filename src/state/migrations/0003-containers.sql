-- Owned by src/engine/containers and src/engine/volumes.

CREATE TABLE containers (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  status     TEXT NOT NULL,          -- observed: created, running, paused, restarting, removing, exited, dead
  intent     TEXT,                   -- under way: starting, stopping, removing, freezing; NULL when nothing is
  image_id   TEXT NOT NULL,
  created_at INTEGER NOT NULL,       -- milliseconds since 1970
  record     TEXT NOT NULL,          -- JSON: configuration as created
  state      TEXT NOT NULL           -- JSON: what was observed
) STRICT, WITHOUT ROWID;
CREATE INDEX containers_by_image ON containers (image_id);

CREATE TABLE volumes (
  name       TEXT PRIMARY KEY,
  anonymous  INTEGER NOT NULL,      -- 0 named, 1 anonymous, 2 to be removed: its container is gone
  created_at INTEGER NOT NULL,
  record     TEXT NOT NULL           -- JSON: driver, options, labels
) STRICT, WITHOUT ROWID;
