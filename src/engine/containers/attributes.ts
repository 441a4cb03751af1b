// Attributes of a container's events: name, image and labels, as Docker sends them.
import type { ContainerRecord } from "./record.ts"

export function attributesOf(
  record: ContainerRecord,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return { ...record.config.Labels, ...more, image: record.image, name: record.name }
}
