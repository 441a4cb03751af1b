// dhow config set, unset, reload: the daemon changes its own file and takes it, or reads what somebody else has written.
import { editConfig, reloadConfig } from "../../client/config.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { onlyJson, parseValue, printReload } from "./words.ts"

const flags = {
  "dry-run": boolean("", "Only show what would change, and when"),
  format: string("", "'json' for the whole answer", { check: onlyJson }),
} as const

export const set = defineCommand({
  usage: "[OPTIONS] KEY VALUE",
  summary: "Set a key in dhow's configuration file, and take it",
  flags,
  args: [2, 2],
  examples: [
    "dhow config set log-level debug",
    "dhow config set dns '[\"192.0.2.53\"]'",
    "dhow config set --dry-run gc.max 80%",
  ],
  async run({ client }, { "dry-run": dryRun, format }, [key = "", text = ""]) {
    const texts = new Set(["limit-rate", "default-shm-size", "bip"])
    const inTexts = key.startsWith("log-opts.") || texts.has(key)
    const value = inTexts ? text : parseValue(text)
    printReload(await editConfig(client, { Set: { [key]: value } }, dryRun === true), format ?? "")
    return 0
  },
})

export const unset = defineCommand({
  usage: "[OPTIONS] KEY [KEY...]",
  summary: "Take keys out of dhow's configuration file",
  flags,
  args: [1, Number.POSITIVE_INFINITY],
  examples: ["dhow config unset log-level", "dhow config unset gc"],
  async run({ client }, { "dry-run": dryRun, format }, keys) {
    printReload(await editConfig(client, { Unset: keys }, dryRun === true), format ?? "")
    return 0
  },
})

export const reload = defineCommand({
  usage: "[OPTIONS]",
  summary: "Read the configuration files again, as SIGHUP does",
  flags,
  args: [0, 0],
  examples: ["dhow config reload --dry-run", "dhow config reload"],
  async run({ client }, { "dry-run": dryRun, format }) {
    printReload(await reloadConfig(client, dryRun === true), format ?? "")
    return 0
  },
})
