// "Up 3 minutes", "Exited (0) 2 hours ago": the words of `ps`, in the units of go-units.
import { humanDuration } from "../../lib/human-duration.ts"
import { type ContainerState, isRunning, NEVER } from "./record.ts"

export function statusText(state: ContainerState, at: number = Date.now()): string {
  const ago = (time: string): string => humanDuration((at - Date.parse(time)) / 1000)
  switch (state.status) {
    case "running": {
      const up = `Up ${ago(state.startedAt)}`
      const { health } = state
      return health === undefined ? up : `${up} (${health === "starting" ? "health: starting" : health})`
    }
    case "paused":
      return `Up ${ago(state.startedAt)} (Paused)`
    case "restarting":
      return `Restarting (${state.exitCode}) ${ago(state.finishedAt)} ago`
    case "removing":
      return "Removal In Progress"
    case "dead":
      return "Dead"
    case "created":
      return "Created"
    case "exited":
      return state.finishedAt === NEVER ? "" : `Exited (${state.exitCode}) ${ago(state.finishedAt)} ago`
    default:
      return state satisfies never
  }
}

export function pidOf(state: ContainerState): number {
  return isRunning(state) ? state.process.pid : 0
}
