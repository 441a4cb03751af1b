// One engine with a busybox image called "bb" for the tests of one file; taken off the machine when they are done.
import { afterAll, beforeAll, setDefaultTimeout } from "bun:test"
import { busyboxTar, TestEngine } from "./engine.ts"

export function testEngine(flags: readonly string[] = []): TestEngine {
  const engine = new TestEngine(flags)
  // A test that overruns has every process of this one ended, the engine too: what is waited for gives up before.
  setDefaultTimeout(30_000)
  beforeAll(async () => {
    await engine.start()
    await engine.must("POST", "/images/create?fromSrc=-&repo=bb", busyboxTar())
  }, 30_000)
  afterAll(async () => {
    await engine.destroy()
  }, 30_000)
  return engine
}
