import { expect, test } from "bun:test"
import { formatDeb822, parseDeb822, parseOneLine, partsOf } from "./apt-sources.ts"

const DEB822 = `Types: deb
# a comment
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb deb-src
URIs: http://mirror.test/debian-security
Suites: bookworm-security
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: no
Types: deb
URIs: http://other.test/
Suites: bookworm
Components: main
`

test("parseDeb822() reads stanzas with comments, continued lines and disabled ones", () => {
  const sources = parseDeb822(DEB822)
  expect(sources.map(({ suites }) => suites)).toEqual([["bookworm", "bookworm-updates"], ["bookworm-security"]])
  expect(sources[0]?.signedBy).toBe("/usr/share/keyrings/debian.gpg")
  expect(sources[1]?.signedBy).toContain("-----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc")
})

test("parseOneLine() reads options and leaves comments and sources of source packages alone", () => {
  const text = [
    "deb [arch=amd64 signed-by=/k.gpg] http://mirror.test/debian bookworm main contrib # why",
    "# deb http://mirror.test/debian bookworm main",
    "deb-src http://mirror.test/debian bookworm main",
  ].join("\n")
  expect(parseOneLine(text)).toEqual([
    { uris: ["http://mirror.test/debian"], suites: ["bookworm"], components: ["main", "contrib"], signedBy: "/k.gpg" },
  ])
})

test("partsOf() substitutes the suite and leaves other people's repositories out", () => {
  const other = { uris: ["http://other.test"], suites: ["nodistro"], components: ["main"] }
  const sources = [other, ...parseDeb822(DEB822)]
  const parts = partsOf(sources, "trixie", "bookworm")
  expect(parts.map(({ suite, source }) => [suite, source.uris[0]])).toEqual([
    ["trixie", "http://mirror.test/debian"],
    ["trixie-updates", "http://mirror.test/debian"],
    ["trixie-security", "http://mirror.test/debian-security"],
  ])
  expect(partsOf(sources, "sid", "bookworm").map(({ suite }) => suite)).toEqual(["sid"])
  expect(() => partsOf([other], "trixie", "bookworm")).toThrow("name no Debian mirror")
})

test("formatDeb822() writes what parseDeb822() reads", () => {
  const parts = partsOf(parseDeb822(DEB822), "trixie", "bookworm")
  const again = parseDeb822(formatDeb822(parts))
  expect(again.map(({ suites }) => suites)).toEqual([["trixie"], ["trixie-updates"], ["trixie-security"]])
  expect(again.map(({ signedBy }) => signedBy)).toEqual(parts.map(({ source }) => source.signedBy))
})
