// dhow completion: prints the completion script of a shell; `install` puts the same texts where shells look for them.
import { DhowError } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { COMMANDS } from "../commands.ts"
import { writeAll } from "../output.ts"
import { bashScript } from "./bash.ts"
import { fishScript } from "./fish.ts"
import { completionModel } from "./model.ts"
import { zshScript } from "./zsh.ts"

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const
export type CompletionShell = keyof typeof SCRIPTS

export async function completionScripts(): Promise<Record<CompletionShell, string>> {
  const model = await completionModel(COMMANDS)
  return { bash: bashScript(model), zsh: zshScript(model), fish: fishScript(model) }
}

export const completion = defineCommand({
  usage: "bash|zsh|fish",
  summary: "Print a completion script for a shell",
  flags: {},
  args: [1, 1],
  examples: ["dhow completion bash > /etc/bash_completion.d/dhow", "dhow completion zsh > ~/.zfunc/_dhow"],
  async run(_context, _flags, [shell = ""]) {
    if (!Object.hasOwn(SCRIPTS, shell))
      throw new DhowError("invalid", `Shell "${shell}" is not known`, { hint: "Choose bash, zsh or fish" })
    writeAll(1, (await completionScripts())[shell as CompletionShell])
    return 0
  },
})
