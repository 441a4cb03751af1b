// "Up 3 minutes", "Exited (0) 2 hours ago": the words of `ps`, in the units of go-units.
import { type ContainerState, isRunning, NEVER } from "./record.ts"

export function statusText(state: ContainerState, at: number = Date.now()): string {
  switch (state.status) {
    case "running": {
      const up = `Up ${humanDuration(at - Date.parse(state.startedAt))}`
      const { health } = state
      return health === undefined ? up : `${up} (${health === "starting" ? "health: starting" : health})`
    }
    case "paused":
      return `Up ${humanDuration(at - Date.parse(state.startedAt))} (Paused)`
    case "restarting":
      return `Restarting (${state.exitCode}) ${humanDuration(at - Date.parse(state.finishedAt))} ago`
    case "removing":
      return "Removal In Progress"
    case "dead":
      return "Dead"
    case "created":
      return "Created"
    case "exited":
      return state.finishedAt === NEVER
        ? ""
        : `Exited (${state.exitCode}) ${humanDuration(at - Date.parse(state.finishedAt))} ago`
    default:
      return state satisfies never
  }
}

/** Docker's rough durations. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000)
  if (seconds < 1) return "Less than a second"
  if (seconds === 1) return "1 second"
  if (seconds < 60) return `${seconds} seconds`
  const minutes = Math.floor(seconds / 60)
  if (minutes === 1) return "About a minute"
  if (minutes < 60) return `${minutes} minutes`
  const hours = Math.round(minutes / 60)
  if (hours === 1) return "About an hour"
  if (hours < 48) return `${hours} hours`
  const wholeHours = Math.floor(minutes / 60)
  if (wholeHours < 24 * 7 * 2) return `${Math.floor(wholeHours / 24)} days`
  if (wholeHours < 24 * 30 * 2) return `${Math.floor(wholeHours / 24 / 7)} weeks`
  if (wholeHours < 24 * 365 * 2) return `${Math.floor(wholeHours / 24 / 30)} months`
  return `${Math.floor(wholeHours / 24 / 365)} years`
}

export function pidOf(state: ContainerState): number {
  return isRunning(state) ? state.process.pid : 0
}
