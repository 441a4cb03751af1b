// The migrations in order. A landed one never changes: a later one amends it.
import content from "./0001-content.sql" with { type: "text" }
import images from "./0002-images.sql" with { type: "text" }
import containers from "./0003-containers.sql" with { type: "text" }
import networks from "./0004-networks.sql" with { type: "text" }
import events from "./0005-events.sql" with { type: "text" }
import imageNames from "./0006-image-names.sql" with { type: "text" }
import distroBuilds from "./0007-distro-builds.sql" with { type: "text" }
import registry from "./0008-registry.sql" with { type: "text" }
import transfers from "./0009-transfers.sql" with { type: "text" }
import manifestLists from "./0010-manifest-lists.sql" with { type: "text" }
import imageContents from "./0011-image-contents.sql" with { type: "text" }
import exits from "./0012-exits.sql" with { type: "text" }
import keptLogs from "./0013-kept-logs.sql" with { type: "text" }
import addressCursors from "./0014-address-cursors.sql" with { type: "text" }
import volumeIds from "./0015-volume-ids.sql" with { type: "text" }

export const MIGRATIONS: readonly string[] = [
  content,
  images,
  containers,
  networks,
  events,
  imageNames,
  distroBuilds,
  registry,
  transfers,
  manifestLists,
  imageContents,
  exits,
  keptLogs,
  addressCursors,
  volumeIds,
]
