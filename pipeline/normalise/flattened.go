package normalise

import (
	"strings"

	"github.com/valyala/fastjson"
)

// flattened returns the properties of a diagnostic record whose collector wrote
// them as columns beside the envelope's own: properties_status_errorCode_d, as
// the AzureDiagnostics table has them with the letter of their type, or
// properties.status.errorCode. Nothing when there are none.
// https://learn.microsoft.com/azure/azure-monitor/reference/tables/azurediagnostics
func flattened(o object) object {
	if !o.isObject() || o.v.GetObject().Len() > maxProperties {
		return object{}
	}
	const prefix = "properties"
	var arena fastjson.Arena
	var properties *fastjson.Value
	o.v.GetObject().Visit(func(key []byte, value *fastjson.Value) {
		if len(key) < len(prefix)+2 || !strings.EqualFold(string(key[:len(prefix)]), prefix) {
			return
		}
		name := string(key)
		separator := name[len(prefix)]
		if separator != '_' && separator != '.' || value.Type() == fastjson.TypeNull {
			return
		}
		if properties == nil {
			properties = arena.NewObject()
		}
		parent := properties
		path := columnPath(name[len(prefix)+1:], separator)
		for _, step := range path[:len(path)-1] {
			child := parent.Get(step)
			if child == nil || child.Type() != fastjson.TypeObject {
				child = arena.NewObject()
				parent.Set(step, child)
			}
			parent = child
		}
		parent.Set(path[len(path)-1], value)
	})
	return object{properties}
}

// maxProperties bounds how many columns a row may have; AzureDiagnostics has at
// most 500, and setting members takes the square of their number.
const maxProperties = 1024

// maxColumnPath bounds how deep a column may lie; a sign-in nests 3 deep.
const maxColumnPath = 8

// columnPath parts the name of a column into the names of members.
func columnPath(column string, separator byte) []string {
	if separator == '_' {
		if n := len(column) - 2; n > 0 && column[n] == '_' && strings.IndexByte("sdbtg", column[n+1]) >= 0 {
			column = column[:n]
		}
		if strings.EqualFold(column, "riskEventTypes_v2") {
			return []string{column}
		}
	}
	return strings.SplitN(column, string(separator), maxColumnPath)
}
