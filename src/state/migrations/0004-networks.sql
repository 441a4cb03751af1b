-- Owned by src/network.

CREATE TABLE networks (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  cursor     INTEGER NOT NULL,       -- last address given out, as a number: the next search starts after it
  record     TEXT NOT NULL           -- JSON
) STRICT, WITHOUT ROWID;

-- An address in use by a namespace: a container's, or one waiting in the pool.
CREATE TABLE addresses (
  network_id TEXT NOT NULL REFERENCES networks (id) ON DELETE CASCADE,
  address    TEXT NOT NULL,
  owner      TEXT NOT NULL,          -- key of the namespace
  PRIMARY KEY (network_id, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX addresses_by_owner ON addresses (owner);

-- A network namespace under /run: what it is attached to, and which ports lead to it.
CREATE TABLE network_namespaces (
  key        TEXT PRIMARY KEY,       -- file name under the exec root's netns/
  owner      TEXT,                   -- container id, or NULL while in the pool
  record     TEXT NOT NULL           -- JSON
) STRICT, WITHOUT ROWID;
CREATE INDEX network_namespaces_by_owner ON network_namespaces (owner);
