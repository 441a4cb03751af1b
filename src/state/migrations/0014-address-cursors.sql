-- Owned by src/network.

-- Where the search for a free address goes on in a subnet of a network: networks have several.
CREATE TABLE address_cursors (
  network_id TEXT NOT NULL REFERENCES networks (id) ON DELETE CASCADE,
  subnet     TEXT NOT NULL,          -- "172.18.0.0/22"
  place      INTEGER NOT NULL,       -- of the last address given out, counted from the subnet's first
  PRIMARY KEY (network_id, subnet)
) STRICT, WITHOUT ROWID;

ALTER TABLE networks DROP COLUMN cursor;
