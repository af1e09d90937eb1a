package report

import _ "embed"

// schemaJSON is generated from the types and their comments by go test ./probe/report
// -run TestSchemaIsCurrent -update.
//
//go:embed schema.json
var schemaJSON []byte

// Schema is the published JSON Schema (draft 2020-12) of the document.
func Schema() []byte { return append([]byte(nil), schemaJSON...) }
