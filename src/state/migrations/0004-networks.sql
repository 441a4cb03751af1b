-- Owned by src/network.

CREATE TABLE networks (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  record     TEXT NOT NULL           -- JSON
) STRICT, WITHOUT ROWID;

-- An address in use: by a container, or by a namespace waiting in the pool.
CREATE TABLE addresses (
  network_id TEXT NOT NULL REFERENCES networks (id) ON DELETE CASCADE,
  address    TEXT NOT NULL,
  owner      TEXT NOT NULL,          -- namespace key: container id, or pool-<n>
  PRIMARY KEY (network_id, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX addresses_by_owner ON addresses (owner);

-- A network namespace under /run, and what netavark was told when it was set up: needed to tear it down.
CREATE TABLE network_namespaces (
  key        TEXT PRIMARY KEY,       -- file name under the exec root's netns/
  owner      TEXT,                   -- container id, or NULL while in the pool
  record     TEXT NOT NULL           -- JSON
) STRICT, WITHOUT ROWID;
CREATE INDEX network_namespaces_by_owner ON network_namespaces (owner);
