// Imports one image in the state root that it is given, then removes it: to be killed at a crash point on the way.
import { file, never, openFixture, streamFrom, tarOf } from "./fixture.ts"

const f = openFixture(process.argv[2])
const tar = await tarOf([file("greeting", "hello")])
const options = { reference: "local/base:1", changes: [], progress: f.progress, signal: never() }
await f.images.import(streamFrom(tar), options)
await f.images.remove("local/base:1", { force: false, prune: true })
