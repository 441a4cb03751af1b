// Schemas of the bodies of /networks.
import type * as v from "valibot"
import { field, fields, flag, text, textMap } from "./go-json.ts"
import { endpointSettings, list } from "./host-config.ts"

const ipamConfig = fields(
  { Subnet: field(text), IPRange: field(text), Gateway: field(text), AuxiliaryAddresses: field(textMap) },
  "network.IPAMConfig",
)
const ipam = fields(
  { Driver: field(text), Options: field(textMap), Config: field(list(ipamConfig, "[]network.IPAMConfig")) },
  "network.IPAM",
)

const createOptions = {
  Driver: field(text),
  Scope: field(text),
  EnableIPv4: field(flag),
  EnableIPv6: field(flag),
  IPAM: field(ipam),
  Internal: field(flag),
  Attachable: field(flag),
  Ingress: field(flag),
  ConfigOnly: field(flag),
  ConfigFrom: field(fields({ Network: field(text) }, "network.ConfigReference")),
  Options: field(textMap),
  Labels: field(textMap),
} satisfies v.ObjectEntries

export const networkCreateRequest = fields(
  { ...createOptions, Name: field(text), CheckDuplicate: field(flag) },
  "network.CreateRequest",
  { CreateOptions: createOptions },
)

export const networkConnectRequest = fields(
  { Container: field(text), EndpointConfig: field(endpointSettings) },
  "network.ConnectOptions",
)

export const networkDisconnectRequest = fields(
  { Container: field(text), Force: field(flag) },
  "network.DisconnectOptions",
)
