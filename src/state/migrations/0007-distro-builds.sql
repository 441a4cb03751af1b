-- Owned by src/engine/images/distro. What was built from which inputs; forgotten with the image.
CREATE TABLE distro_builds (
  inputs   TEXT PRIMARY KEY,         -- digest over suites, sources, tools and recipe
  image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
