// Pulls or pushes one image with the state root that it is given: to be killed on the way.
import { never, openFixture } from "../images/fixture.ts"

const [, , root, verb = "", name = ""] = process.argv
const f = openFixture(root)
const options = { progress: f.progress, signal: never() }
await (verb === "push" ? f.images.push(name, options) : f.images.pull(name, options))
