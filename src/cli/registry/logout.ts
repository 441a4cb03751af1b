// dhow logout: forgets what `login` has kept, under each of the names that clients have used for a registry.
import { defineCommand } from "../command.ts"
import { HUB_KEY, hostOf } from "../credentials/address.ts"
import { eraseCredentials } from "../credentials/credentials.ts"
import { messageOf } from "../failure.ts"
import { print, printError } from "../output.ts"
import { warnOfEnvironment } from "./login.ts"

export const logout = defineCommand({
  usage: "[SERVER]",
  summary: "Log out from a registry, Docker Hub where none is named",
  flags: {},
  args: [0, 1],
  async run(_context, _flags, [address = ""]) {
    warnOfEnvironment()
    const isHub = address === "" || address === "docker.io"
    const host = isHub ? HUB_KEY : hostOf(address)
    const keys = isHub
      ? // The last two are what docker's login through a browser leaves.
        [HUB_KEY, `${HUB_KEY}access-token`, `${HUB_KEY}refresh-token`]
      : [...new Set([address, host, `http://${host}`, `https://${host}`])]
    print(`Removing login credentials for ${host}`)
    const failures: string[] = []
    for (const key of keys)
      try {
        eraseCredentials(key)
      } catch (error) {
        failures.push(`${key}: ${messageOf(error)}`)
      }
    if (failures.length < keys.length) return 0
    printError("WARNING: could not erase credentials:")
    for (const failure of failures) printError(failure)
    return 0
  },
})
