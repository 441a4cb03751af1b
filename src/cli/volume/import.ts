// dhow volume import: a volume with the files of a tar archive, compressed or not.
import { importVolume } from "../../client/volumes.ts"
import { defineCommand } from "../command.ts"
import { checkLabel } from "../create/key-values.ts"
import { boolean, list, string } from "../flags/flags.ts"
import { archiveFromInput, openArchive } from "../image/archive.ts"
import { print } from "../output.ts"

export const importCommand = defineCommand({
  usage: "[OPTIONS] VOLUME FILE|-",
  summary: "Make a volume of the files of an archive",
  flags: {
    label: list("", "Set metadata on the volume", { check: checkLabel }),
    replace: boolean("", "Give a volume that is there these files for its own"),
    size: string("", "Bytes that the volume may hold (10g)", { value: "bytes" }),
  } as const,
  args: [2, 2],
  examples: ["dhow volume import data data.tar.zst", "tar -C dir -c . | dhow volume import --size 1g data -"],
  async run({ client }, flags, [name = "", source = "-"]) {
    const archive = source === "-" ? archiveFromInput() : openArchive(source)
    const volume = await importVolume(client, name, {
      archive,
      replace: flags.replace === true,
      opts: flags.size === undefined ? [] : [`size=${flags.size}`],
      labels: flags.label,
    })
    print(volume.Name)
    return 0
  },
})
