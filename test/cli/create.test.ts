// The recorded answers of docker's client (src/cli/create/docker-cases.json) are still those of the real one.
// DHOW_RECORD=1 writes them anew.
import { expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { CASES } from "../../src/cli/create/docker-cases.ts"
import { normalForm } from "../../src/cli/create/normal-form.ts"
import { dockerMajorVersion, recordCreate } from "./recorder.ts"

const path = join(import.meta.dir, "../../src/cli/create/docker-cases.json")

test.skipIf(dockerMajorVersion() < 28)(
  "docker create sends what is recorded",
  async () => {
    const recorded = (await recordCreate(CASES)).map((one) =>
      "body" in one ? { body: normalForm(one.body), query: one.query } : one,
    )
    if (process.env["DHOW_RECORD"] !== undefined) writeFileSync(path, `${JSON.stringify(recorded, null, 1)}\n`)
    expect(recorded).toEqual(await Bun.file(path).json())
  },
  60_000,
)
