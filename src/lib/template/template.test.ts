import { expect, test } from "bun:test"
import { fromJson } from "../exact-json.ts"
import { compileTemplate } from "./evaluate.ts"
import type { Value } from "./nodes.ts"

const data = fromJson(`{
  "Name": "web", "Count": 3, "Big": 9223372036854775807, "On": true, "Off": false, "Empty": "", "Nothing": null,
  "List": ["a", "b", "c"], "Map": {"x": 1, "b": "two"}, "Nested": {"Deep": {"er": "here"}},
  "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "81/tcp": null}
}`) as Value

const render = (source: string): string => compileTemplate(source)(data)

test.each([
  ["plain", "plain"],
  ["{{.Name}}-{{.Count}}", "web-3"],
  ["{{.Nested.Deep.er}}", "here"],
  ["{{ .Big }} {{json .Big}}", "9223372036854775807 9223372036854775807"],
  ["{{.List}} {{.Map}} {{.Nothing}} {{.On}}", "[a b c] map[b:two x:1] <nil> true"],
  ["{{json .List}} {{json .Map}} {{.Map | json}}", `["a","b","c"] {"x":1,"b":"two"} {"x":1,"b":"two"}`],
  ['{{join .List ","}} {{len .List}} {{len .Name}} {{index .List 1}} {{index .Map "b"}}', "a,b,c 3 3 b two"],
  ['{{index (index .Ports "80/tcp") 0 "HostPort"}}', "8080"],
  ['{{(index (index .Ports "80/tcp") 0).HostPort}}', "8080"],
  ["{{range .List}}<{{.}}>{{end}}", "<a><b><c>"],
  ["{{range $i, $e := .List}}{{if $i}},{{end}}{{$i}}={{$e}}{{end}}", "0=a,1=b,2=c"],
  ["{{range $k, $v := .Map}}{{$k}}:{{$v}} {{end}}", "b:two x:1 "],
  ["{{range $p, $c := .Ports}}{{$p}}{{range $c}}->{{.HostPort}}{{end}};{{end}}", "80/tcp->8080;81/tcp;"],
  ["{{range .Nothing}}x{{else}}none{{end}}", "none"],
  ['{{range .List}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}', "a"],
  ['{{range .List}}{{if eq . "b"}}{{continue}}{{end}}{{.}}{{end}}', "ac"],
  ["{{if .Off}}a{{else if .Empty}}b{{else if .On}}c{{else}}d{{end}}", "c"],
  [
    "{{with .Nested.Deep}}{{.er}}{{$.Name}}{{else}}no{{end}}{{with .Nothing}}x{{else}}y{{end}}",
    "herewebY".replace("Y", "y"),
  ],
  ['{{$x := .Name}}{{$x}}{{if .On}}{{$x = "other"}}{{end}}{{$x}}', "webother"],
  ['{{if and .On (eq .Count 3) (ne .Name "db")}}yes{{end}}{{or .Empty "default"}}{{not .On}}', "yesdefaultfalse"],
  ['{{lt 1 2}}{{le 2 2}}{{gt 1 2}}{{ge 1 2}}{{eq .Name "a" "web"}}', "truetruefalsefalsetrue"],
  [
    '{{upper .Name}} {{lower "ABC"}} {{title "ab cd"}} {{truncate .Name 2}} [{{pad .Name 1 2}}]',
    "WEB abc Ab Cd we [ web  ]",
  ],
  ['{{range split "a:b" ":"}}{{.}} {{end}}', "a b "],
  [
    '{{printf "%s=%d %-5s|%05d|%q|%v|%.2f|%%" .Name .Count "x" 42 "q" .List 1.5}}',
    `web=3 x    |00042|"q"|[a b c]|1.50|%`,
  ],
  ['{{println "a" 1}}{{print "a" 1 2 "b"}}', "a 1\na1 2b"],
  ["a  {{- .Name -}}  b", "awebb"],
  ["{{/* nothing */}}x{{- /* more */ -}} y", "xy"],
  ['{{`raw "text"`}}{{\'a\'}}{{"tab\\t"}}', 'raw "text"97tab\t'],
  ['{{slice .Name 1 2}}{{slice .List 1}}{{html "<a>"}}', "e[b c]&lt;a&gt;"],
])("compileTemplate() renders %p", (source, expected) => {
  expect(render(source)).toBe(expected)
})

test.each([
  ["{{.Name", "unclosed action"],
  ["{{if .On}}x", "unexpected EOF"],
  ["{{end}}", "unexpected {{end}}"],
  ["{{nope .Name}}", 'function "nope" not defined'],
  ["{{.Absent}}", "can't evaluate field Absent"],
  ["{{.Nothing.Deeper}}", "nil pointer evaluating .Deeper"],
  ["{{.Name.Deeper}}", "can't evaluate field Deeper in type string"],
  ["{{index .List 7}}", "index out of range"],
  ["{{$x}}", 'undefined variable "$x"'],
  ["{{}}", "missing value for command"],
])("compileTemplate() refuses %p", (source, message) => {
  expect(() => render(source)).toThrow(message)
})

test("compileTemplate() calls fields that are methods", () => {
  const row = { Label: (name: Value) => `label ${name}` }
  expect(compileTemplate('{{.Label "a"}} {{.Label "b" | upper}}')(row)).toBe("label a LABEL B")
})
