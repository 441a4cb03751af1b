// The user's editor, on a file of our own that nobody else may read: a container's environment has secrets.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DhowError } from "../../../lib/errors.ts"

const USUAL = ["sensible-editor", "editor", "nano", "vim", "vi"]

export class EditedFile implements Disposable {
  readonly path: string
  readonly #directory = mkdtempSync(join(tmpdir(), "dhow-edit-"))

  constructor(name: string) {
    this.path = join(this.#directory, name)
  }

  /** Opens the editor on a text, and returns what it was made. */
  async edit(text: string): Promise<string> {
    writeFileSync(this.path, text, { mode: 0o600 })
    // As git and crontab do: the variable is a command, arguments and all.
    const child = Bun.spawn(["/bin/sh", "-c", `${editor()} "$1"`, "editor", this.path], {
      stdio: ["inherit", "inherit", "inherit"],
    })
    const status = await child.exited
    if (status !== 0)
      throw new DhowError("cancelled", `Nothing is changed: the editor ended with status ${status}`, { exitCode: 1 })
    return readFileSync(this.path, "utf8")
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

function editor(): string {
  const chosen = process.env["VISUAL"] || process.env["EDITOR"] || USUAL.find((name) => Bun.which(name) !== null)
  if (chosen !== undefined) return chosen
  throw new DhowError("unavailable", "There is no editor: neither VISUAL nor EDITOR names one", {
    hint: "Say --print, and give the form back with --file",
  })
}
