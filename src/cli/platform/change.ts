// dhow platform install and rm: emulators for other processors, registered with the machine's kernel or taken back.
import { changePlatforms } from "../../client/platforms.ts"
import { formatPlatform, parsePlatform } from "../../oci/platform.ts"
import { defineCommand } from "../command.ts"
import { showRows } from "../render/rows.ts"
import { PLATFORM_COLUMNS, platformRow } from "./row.ts"

const names = (platforms: readonly string[]): string[] => platforms.map((text) => formatPlatform(parsePlatform(text)))

export const install = defineCommand({
  usage: "[PLATFORM...]",
  summary: "Let containers of other platforms run, by emulators that are installed",
  flags: {} as const,
  args: [0, Number.POSITIVE_INFINITY],
  examples: ["dhow platform install", "dhow platform install linux/arm64 linux/arm/v7"],
  async run({ client }, _flags, platforms) {
    const rows = await changePlatforms(client, "install", names(platforms))
    await showRows(rows.map(platformRow), { columns: PLATFORM_COLUMNS, format: "" })
    return 0
  },
})

export const remove = defineCommand({
  usage: "PLATFORM [PLATFORM...]",
  summary: "Take the registration of emulators back",
  flags: {} as const,
  args: [1, Number.POSITIVE_INFINITY],
  examples: ["dhow platform rm linux/arm64"],
  async run({ client }, _flags, platforms) {
    const rows = await changePlatforms(client, "remove", names(platforms))
    await showRows(rows.map(platformRow), { columns: PLATFORM_COLUMNS, format: "" })
    return 0
  },
})
