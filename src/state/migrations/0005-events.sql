-- Owned by src/engine/events.ts. Kept across restarts of the engine; the oldest go first.
CREATE TABLE events (
  id    INTEGER PRIMARY KEY AUTOINCREMENT,
  time  INTEGER NOT NULL,            -- nanoseconds since 1970
  event TEXT NOT NULL                -- JSON as sent to clients
) STRICT;
CREATE INDEX events_by_time ON events (time);
