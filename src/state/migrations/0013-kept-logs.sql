-- Owned by src/engine/logging. Logs of containers that are gone, kept on request until a time.

CREATE TABLE kept_logs (
  id         TEXT PRIMARY KEY,       -- the container's
  name       TEXT NOT NULL,
  image      TEXT NOT NULL,
  tty        INTEGER NOT NULL,
  details    TEXT NOT NULL,          -- what --details puts in front of each line
  removed_at INTEGER NOT NULL,       -- milliseconds since 1970
  keep_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX kept_logs_by_name ON kept_logs (name, removed_at);
