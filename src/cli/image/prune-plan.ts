// What a prune would do, as rows: those that would go first, the least recently used at the top.
import type { PrunePlan } from "../../wire/disk.ts"
import { humanSize, shortId, timeAgo } from "../render/human.ts"
import type { Columns, Row } from "../render/rows.ts"

export const PLAN_COLUMNS: Columns = {
  headers: {
    Image: "IMAGE",
    ID: "IMAGE ID",
    Platform: "PLATFORM",
    Size: "SIZE",
    LastUsed: "LAST USED",
    Action: "ACTION",
    Reason: "REASON",
  },
  shown: ["Image", "ID", "Platform", "Size", "LastUsed", "Action", "Reason"],
}

export function planRows({ Images }: PrunePlan, truncate: boolean): Row[] {
  const order = [...Images].sort(
    (a, b) => Number(b.Remove) - Number(a.Remove) || Date.parse(a.LastUsed) - Date.parse(b.LastUsed),
  )
  return order.map((image) => ({
    Action: image.Remove ? "remove" : "keep",
    ID: truncate ? shortId(image.Id) : image.Id,
    Image: (image.Names.length > 0 ? image.Names : image.Digests).join(",") || "<none>",
    LastUsed: truncate ? timeAgo(Date.parse(image.LastUsed) / 1000) : image.LastUsed,
    Platform: image.Platforms.join(","),
    Reason: image.Reason,
    Size: humanSize(image.Size, 3),
  }))
}
