// A platform as a row.
import type { PlatformStatus } from "../../wire/platform.ts"
import type { Columns, Row } from "../render/rows.ts"

export const PLATFORM_COLUMNS: Columns = {
  headers: { Platform: "PLATFORM", State: "STATE", Emulator: "EMULATOR", Handler: "HANDLER", Problem: "PROBLEM" },
  shown: ["Platform", "State", "Emulator", "Problem"],
}

export function platformRow({ Platform, State, Emulator, Handler, Problem }: PlatformStatus): Row {
  return { Platform, State, Emulator, Handler, Problem }
}
