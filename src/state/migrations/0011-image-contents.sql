-- Owned by src/engine/images.

-- The manifest that an image has in a target, where it is another than its own: one configuration may be packed in
-- several ways.
ALTER TABLE target_images ADD COLUMN manifest TEXT;

-- Where images are mounted for a user to look at. The kernel knows what is: a row says what may be.
CREATE TABLE image_mounts (
  path       TEXT PRIMARY KEY,
  image_id   TEXT NOT NULL,
  made       INTEGER NOT NULL,       -- 1: the directory was made for the mount, and goes with it
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
