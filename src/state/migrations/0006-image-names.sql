-- Owned by src/engine/images. From a target to its names: removal, listing and collection ask for it.
CREATE INDEX tags_by_target ON tags (target);
