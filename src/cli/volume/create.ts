// dhow volume create: a volume, with a name of the user's or one made up.
import { createVolume } from "../../client/system.ts"
import { DhowError } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { checkLabel, keyValueMap } from "../create/key-values.ts"
import { list, string } from "../flags/flags.ts"
import { print } from "../output.ts"

export const create = defineCommand({
  usage: "[OPTIONS] [VOLUME]",
  summary: "Create a volume",
  flags: {
    driver: string("d", "Driver of the volume", { default: "local" }),
    label: list("", "Set metadata on the volume", { check: checkLabel }),
    name: string("", "Name of the volume", { hidden: true }),
    size: string("", "Bytes that the volume may hold (10g)", { value: "bytes" }),
    opt: list("o", "Options of the driver (type=tmpfs, o=size=64m)", { value: "map" }),
  } as const,
  args: [0, 1],
  async run({ client }, flags, [name]) {
    if (name !== undefined && flags.name !== undefined)
      throw new DhowError(
        "invalid",
        "conflicting options: cannot specify a volume-name through both --name and as a positional arg",
      )
    const volume = await createVolume(client, {
      Name: name ?? flags.name ?? "",
      Driver: flags.driver ?? "local",
      DriverOpts: { ...keyValueMap(flags.opt), ...(flags.size === undefined ? {} : { size: flags.size }) },
      Labels: keyValueMap(flags.label),
    })
    print(volume.Name)
    return 0
  },
})
