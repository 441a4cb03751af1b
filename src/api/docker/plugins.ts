// /plugins as an engine answers that has none and installs none.
import * as v from "valibot"
import { DhowError } from "../../lib/errors.ts"
import { json } from "../http/reply.ts"
import { type Call, param, type Route } from "./call.ts"
import { readJson } from "./json-body.ts"
import { refusal } from "./refusal.ts"
import { field, fields, text, texts } from "./schema/go-json.ts"

const privileges = v.nullable(
  v.array(
    fields({ Name: field(text), Description: field(text), Value: field(texts) }, "plugin.Privilege"),
    "plugin.Privileges",
  ),
)

const unsupported = () =>
  new DhowError("not-implemented", "Plugins are not supported", {
    hint: "Volumes of other kinds can be mounted on the host and bound into containers",
  })
const missing = (call: Call) => new DhowError("not-found", `plugin "${param(call, "name")}" not found`)

export function pluginRoutes(): Route[] {
  return [
    [
      "GET",
      "/plugins",
      ({ query }) => {
        query.filters()
        return json(200, [])
      },
    ],
    refusal("GET", "/plugins/privileges", unsupported),
    refusal("POST", "/plugins/pull", unsupported, ({ request }) => readJson(request, privileges)),
    refusal("POST", "/plugins/create", unsupported),
    refusal("GET", "/plugins/*name/json", missing),
    refusal("DELETE", "/plugins/*name", missing),
    refusal("POST", "/plugins/*name/enable", missing, ({ query }) => query.number("timeout")),
    refusal("POST", "/plugins/*name/disable", missing),
    refusal("POST", "/plugins/*name/push", missing),
    refusal("POST", "/plugins/*name/upgrade", missing, ({ request }) => readJson(request, privileges)),
    refusal("POST", "/plugins/*name/set", missing, ({ request }) => readJson(request, v.nullable(texts))),
  ]
}
