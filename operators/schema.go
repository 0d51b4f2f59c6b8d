package operators

import _ "embed" // for the schema

//go:embed policies/policy.v1.schema.json
var schemaText string

// Schema returns the JSON Schema (2020-12) of the three kinds of file, with
// descriptions, for editors. It says which keys there are and what they hold;
// loading says the rest, such as which indicators are known.
func Schema() []byte { return []byte(schemaText) }
