// Pushes, deletes and collects in a registry over the state root that it is given: to be killed on the way.
import { parseNamedDigest, parseRepositoryName } from "../../src/engine/registry/names.ts"
import { openFixture } from "../images/fixture.ts"
import { TestServer } from "./fixture.ts"

const server = new TestServer({}, openFixture(process.argv[2]))
const name = parseRepositoryName("team/app")
await server.pushImage(name, "1")
await server.pushImage(name, "2")
const { digest } = await server.pushImage(name, "3")
server.registry.removeManifest(name, parseNamedDigest(digest))
await server.registry.gc({ grace: 0 })
process.exit(0)
