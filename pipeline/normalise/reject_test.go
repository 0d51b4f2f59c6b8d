package normalise

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// payload stands in every field of the records that follow.
const payload = "ZQPAYLOAD"

// leaves calls f with every place in a JSON value where a value stands, and with
// what puts another one there.
func leaves(value any, set func(any), f func(set func(any))) {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			leaves(v[key], func(other any) { v[key] = other }, f)
		}
	case []any:
		for i := range v {
			leaves(v[i], func(other any) { v[i] = other }, f)
		}
	}
	f(set)
}

// spoiled yields sound records with the payload in the place of one value after
// the other, in every form; then in the place of all.
func spoiled(t testing.TB, text string) (records []string) {
	t.Helper()
	forms := []any{payload, payload + "@" + payload + ".example", map[string]any{payload: payload}, []any{payload}, `{"` + payload + `":"` + payload + `"`, nil}
	parse := func() (root any) {
		if err := json.Unmarshal([]byte(text), &root); err != nil {
			t.Fatal(err)
		}
		return root
	}
	write := func(root any) {
		b, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, string(b), string(b[:len(b)*2/3]))
	}
	count := 0
	leaves(parse(), func(any) {}, func(func(any)) { count++ })
	for at := range count {
		for _, form := range forms {
			root, i := parse(), 0
			holder := map[string]any{"root": root}
			leaves(root, func(other any) { holder["root"] = other }, func(set func(any)) {
				if i == at {
					set(form)
				}
				i++
			})
			write(holder["root"])
		}
	}
	// All texts, and all members' names but the ones in capitals that route.
	for _, keep := range []string{"RecordType", "category", "schemas", ""} {
		root := parse()
		leaves(root, func(any) {}, func(set func(any)) { set(payload) })
		if whole, ok := root.(map[string]any); ok {
			if original, ok := parse().(map[string]any); ok && original[keep] != nil {
				whole[keep] = original[keep]
			}
		}
		write(root)
	}
	return records
}

// Whatever is wrong with a record of whichever feed, the reject says it without a
// word of the record; it goes to headers and logs.
func TestReject_quotesNothing(t *testing.T) {
	rejects := map[schemas.Source]map[string]int{}
	check := func(source schemas.Source, text string) {
		out := mapBytes(newTestMapper(), source, text)
		for _, skip := range out.Skips {
			out.Rejects = append(out.Rejects, Reject{Index: skip.Index, Reason: skip.Reason})
		}
		for _, reject := range out.Rejects {
			if rejects[source] == nil {
				rejects[source] = map[string]int{}
			}
			rejects[source][reject.Reason]++
			if strings.Contains(strings.ToLower(fmt.Sprintf("%+v", reject)), strings.ToLower(payload)) {
				t.Fatalf("%s: %+v quotes %s", source, reject, text)
			}
		}
	}
	for _, r := range sound() {
		for _, text := range spoiled(t, r.text) {
			check(r.source, text)
		}
	}
	for _, text := range []string{
		payload, payload + "," + payload + "\n\"" + payload, "EmailAddress,ResignationDate\n" + payload + "," + payload, "EmailAddress,ResignationDate\nida@contoso.com," + payload,
		"EmailAddress,HRScenario\nida@contoso.com," + payload, "EmailAddress,LastWorkingDate," + payload + "\nida@contoso.com,\"" + payload, "<" + payload + ">",
		`{"EmailAddress":"ida@contoso.com","EmployeeStatus":"Terminated","TerminationDate":"` + payload + `"}`,
		`{"method":"PATCH","path":"/Users/` + payload + `","data":{"Operations":` + strconv.Quote(payload) + `}}`,
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ida@contoso.com","urn:x":{"lastDayOfWork":"` + payload + `"}}`, "\xff" + payload,
	} {
		for _, source := range schemas.Sources() {
			check(source, text)
		}
	}
	for _, source := range schemas.Sources() {
		if len(rejects[source]) < 3 {
			t.Errorf("%s: only %v were reasons, which proves little", source, rejects[source])
		}
	}
	t.Logf("reasons: %v", rejects)
}
