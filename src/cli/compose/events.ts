// dhow compose events: what happens to the project's containers.
import { serverEvents } from "../../client/system.ts"
import { LABEL } from "../../compose/labels.ts"
import { defineCommand } from "../command.ts"
import { apiTime } from "../container/logs.ts"
import { boolean, string } from "../flags/flags.ts"
import { print } from "../output.ts"
import { openTarget } from "./project-or-name.ts"

export const events = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Show what happens to containers, as it happens",
  flags: {
    json: boolean("", "One JSON object a line"),
    since: string("", "Begin with what happened since then"),
    until: string("", "End at this time"),
  } as const,
  args: [0, Number.POSITIVE_INFINITY],
  async run(context, flags, names) {
    const { client, name } = await openTarget(context, names)
    const stream = await serverEvents(client, {
      since: apiTime(flags.since),
      until: apiTime(flags.until),
      filters: { type: ["container"], label: [`${LABEL.project}=${name}`] },
    })
    for await (const { Action, Actor, time, timeNano } of stream) {
      const service = Actor.Attributes[LABEL.service] ?? ""
      if (names.length > 0 && !names.includes(service)) continue
      const own = Object.entries(Actor.Attributes).filter(([key]) => !key.startsWith("com.docker.compose."))
      const attributes = Object.fromEntries(own.sort(([a], [b]) => (a < b ? -1 : 1)))
      if (flags.json === true) {
        const at = new Date(timeNano === undefined ? time * 1000 : timeNano / 1e6).toISOString()
        print(JSON.stringify({ time: at, type: "container", service, id: Actor.ID, action: Action, attributes }))
        continue
      }
      const shown = Object.entries(attributes)
        .map(([key, value]) => `${key}=${value}`)
        .join(", ")
      const stamp = new Date(time * 1000).toISOString().slice(0, 19).replace("T", " ")
      print(
        `${stamp}.${String(Math.floor((timeNano % 1e9) / 1e3)).padStart(6, "0")} container ${Action} ${Actor.ID} (${shown})`,
      )
    }
    return 0
  },
})
