-- Owned by src/engine/exits. Containers that are removed keep theirs for a while: no reference to the table of them.

CREATE TABLE exits (
  id          INTEGER PRIMARY KEY,
  container   TEXT NOT NULL,
  name        TEXT NOT NULL,
  finished_at INTEGER NOT NULL,      -- milliseconds since 1970
  report      TEXT NOT NULL,         -- JSON: who asked, how it ended, what it used
  detail      TEXT                   -- JSON: last lines, mounts, health; NULL until it is read
) STRICT;
CREATE INDEX exits_by_container ON exits (container, id);

-- Results of health checks, which outlive the engine.
CREATE TABLE health (
  container TEXT PRIMARY KEY REFERENCES containers (id) ON DELETE CASCADE,
  record    TEXT NOT NULL            -- JSON: failing streak, the last results
) STRICT, WITHOUT ROWID;
