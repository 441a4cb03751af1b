// Pulls one image into the state root that it is given: to be killed on the way.
import { never, openFixture } from "../images/fixture.ts"

const [, , root, name = ""] = process.argv
const f = openFixture(root)
await f.images.pull(name, { progress: f.progress, signal: never() })
