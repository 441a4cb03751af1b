// Run by network-crash.test.ts: attaches a container with a port, gives it another and releases it, and is killed at a
// crash point on the way.
import { join } from "node:path"
import { openNetworks } from "../../src/network/open.ts"
import { Database } from "../../src/state/database.ts"

const [root = "", bridge = ""] = process.argv.slice(2)
const database = Database.open(join(root, "dhow.db"))
const networks = openNetworks({ database, execRoot: join(root, "run"), bridge, bip: undefined, pool: 1 })
await networks.open()
const ports = networks.choosePorts("victim", [], { "80/tcp": [{}] }, false)
const request = { owner: "victim", name: "victim", hostname: "victim", networks: new Map([["bridge", {}]]), ports }
await networks.attach(request)
const change = { name: "victim", remove: ports, add: { "81/tcp": [{}] } }
const changed = await networks.changePorts("victim", change)
changed.commit()
await networks.release("victim")
// Never reached with a crash point armed.
process.exit(1)
