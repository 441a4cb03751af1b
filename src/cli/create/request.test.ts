import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseFlags } from "../flags/parse.ts"
import { checkPull } from "./checks.ts"
import recorded from "./docker-cases.json" with { type: "json" }
import { CASES, ENVIRONMENT, FILES } from "./docker-cases.ts"
import { containerFlags, createOnlyFlags } from "./flags.ts"
import { normalForm } from "./normal-form.ts"
import { createRequest } from "./request.ts"

type Recorded = { readonly body: unknown; readonly query: string } | { readonly error: string; readonly status: number }

let directory = ""
const before = { cwd: process.cwd(), environment: { ...process.env } }

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "dhow-create-"))
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(directory, name), text)
  process.chdir(directory)
  Object.assign(process.env, ENVIRONMENT)
  delete process.env["NOT_ON_HOST"]
})

afterAll(() => {
  process.chdir(before.cwd)
  for (const name of Object.keys(ENVIRONMENT)) delete process.env[name]
  Object.assign(process.env, before.environment)
  rmSync(directory, { recursive: true, force: true })
})

function requestOf(argv: readonly string[]): unknown {
  const { flags, args } = parseFlags({ ...containerFlags, ...createOnlyFlags }, argv, { interspersed: false })
  checkPull(flags.pull)
  return createRequest(flags, args[0] ?? "", args.slice(1))
}

/** The words in which the two differ, and may: Go's own errors, and hints of ours. */
const OWN_WORDS: readonly RegExp[] = [
  /--env-file/,
  /invalid rate for device/,
  /strconv/,
  /^(?:invalid argument "[^"]*" for ".*" flag: )?invalid size/,
]

for (const [index, argv] of CASES.entries()) {
  const docker = (recorded as Recorded[])[index]!
  test(`createRequest() reads "${argv.join(" ")}" as docker does`, () => {
    const given = argv.map((word) => word.replace("@/", `${directory}/`))
    if ("body" in docker) {
      const request = JSON.parse(JSON.stringify(requestOf(given)).replaceAll(directory, "@")) as unknown
      expect(normalForm(request)).toEqual(docker.body)
      return
    }
    let message: string | undefined
    try {
      requestOf(given)
    } catch (error) {
      message = (error as Error).message
    }
    if (OWN_WORDS.some((pattern) => pattern.test(argv.join(" ")) || pattern.test(docker.error)))
      expect(message).toBeString()
    else expect(message).toBe(docker.error)
  })
}
