package sink

import (
	"reflect"
	"slices"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// The columns that are sent are those of the tables, in their very types.
func TestColumns_matchTables(t *testing.T) {
	conn, database := openMigrated(t)
	check := func(table string, sent map[string]string) {
		rows, err := conn.Query(t.Context(), "SELECT name, type FROM system.columns WHERE database = ? AND table = ? AND default_kind = ''", database, table)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var name, kind string
			if err := rows.Scan(&name, &kind); err != nil {
				t.Fatal(err)
			}
			if got := sent[name]; got != kind {
				t.Errorf("%s.%s is sent as %q, the table has %q", table, name, got, kind)
			}
			delete(sent, name)
		}
		if len(sent) > 0 {
			t.Errorf("%s has no columns %v", table, sent)
		}
	}
	check("activity", kinds(activityColumns()))
	check("alerts", kinds(alertColumns()))
	check("alert_history", kinds(alertColumns()))
	check("risk", kinds(riskColumns()))
}

func kinds[V any](list []column[V]) map[string]string {
	all := map[string]string{}
	for _, c := range list {
		all[c.name] = c.kind
	}
	return all
}

// withheld are the fields that have no column: rules compare these hashes, and people could only
// use them to find out who somebody's family and neighbours are.
func withheld() []string {
	return []string{
		"Event.HR.FamilyName", "Event.HR.Address", "Event.HR.Street",
		"Event.Health.FamilyName", "Event.Health.Address", "Event.Health.Street",
	}
}

// No field of an event is forgotten: each one, set alone, changes the row, but for those that are
// withheld, which never do.
func TestEventFlattener_everyField(t *testing.T) {
	row := func(e *schemas.Event) string {
		a, err := eventFlattener()(e)
		if err != nil {
			t.Fatal(err)
		}
		c := newBodies(activityBodies())
		c.add(&a)
		return string(c.native())
	}
	empty := row(&schemas.Event{})
	n := 0
	var walk func(path string, e *schemas.Event, v reflect.Value)
	walk = func(path string, e *schemas.Event, v reflect.Value) {
		switch {
		case v.Kind() == reflect.Pointer && v.Type().Elem().Kind() == reflect.Struct:
			v.Set(reflect.New(v.Type().Elem()))
			walk(path, e, v.Elem())
			v.SetZero()
		case v.Kind() == reflect.Struct:
			for i := range v.NumField() {
				walk(path+"."+v.Type().Field(i).Name, e, v.Field(i))
			}
		default:
			setSomething(t, v)
			n++
			if hidden := slices.Contains(withheld(), path); (row(e) == empty) != hidden {
				t.Errorf("%s: is in no column: %t, is to be withheld: %t", path, row(e) == empty, hidden)
			}
			v.SetZero()
		}
	}
	var e schemas.Event
	walk("Event", &e, reflect.ValueOf(&e).Elem())
	if n < 70 {
		t.Errorf("only %d fields were looked at", n)
	}
}

func setSomething(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8:
		v.SetUint(7)
	case reflect.Array:
		setSomething(t, v.Index(0))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		setSomething(t, v.Index(0))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		setSomething(t, v.Elem())
	default:
		t.Fatalf("a field of kind %s is new: say how to set it", v.Kind())
	}
}

// Dates far away are kept as far as ClickHouse reaches; event times beyond its reach are refused.
func TestEventFlattener_times(t *testing.T) {
	if _, err := eventFlattener()(&schemas.Event{Time: lastTime + 1}); err == nil {
		t.Error("a time after 2106 passed")
	}
	conn, database := openMigrated(t)
	rows := newActivityRows(nil, database).(*typed[schemas.Event, activity])
	for i, last := range []schemas.Time{0, -1 << 50, 253_402_214_400_000, 1 << 60} {
		a, err := eventFlattener()(&schemas.Event{ID: schemas.UUID{byte(i)}, Time: lastTime * schemas.Time(i%2), HR: &schemas.HR{LastDay: last}})
		if err != nil {
			t.Fatal(err)
		}
		rows.columns.add(&a)
	}
	if err := rows.insert(t.Context(), conn, "times"); err != nil {
		t.Fatal(err)
	}
	if n := count(t, conn, "SELECT count() FROM "+database+".soc_timeline WHERE time IN ('1970-01-01', '2106-02-07 06:28:15')"); n != 4 {
		t.Errorf("%d event times are right", n)
	}
	if n := count(t, conn, "SELECT countIf(isNull(hr_last_day)) * 100 + countIf(hr_last_day = '1900-01-01') * 10 + countIf(hr_last_day = '2261-12-31') FROM "+database+".activity"); n != 112 {
		t.Errorf("dates: %d", n)
	}
}
