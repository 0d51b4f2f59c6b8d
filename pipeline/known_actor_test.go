package pipeline

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// An actor is found again by all of its names, whatever its profile, as long as it is
// among the last that were met, and no text of a record stays with it.
func TestKnownActors(t *testing.T) {
	const limit = 8
	key, actors := testKey(t), newKnownActors(limit)
	ada := normalise.Actor{Type: schemas.ActorPerson, UPN: "ada@contoso.com", ObjectID: adaID}
	first := actors.of(key, &ada)
	if first.key != adaKey || first.self != key.Pseudonym(adaKey) || len(first.aliases) != 1 || first.aliases[0] != key.Pseudonym("oid:"+adaID) {
		t.Fatalf("%+v", first)
	}
	ada.Profile = &normalise.Profile{Department: "Research"}
	if actors.of(key, &ada) != first {
		t.Error("another profile makes it another actor")
	}
	v := reflect.ValueOf(&ada).Elem()
	for i := range v.NumField() {
		if v.Field(i).Kind() != reflect.String {
			continue
		}
		other := ada
		reflect.ValueOf(&other).Elem().Field(i).SetString("x")
		if actors.of(key, &other) == first {
			t.Errorf("%s is not looked at", v.Type().Field(i).Name)
		}
	}
	first = actors.of(key, &ada)
	for i := range 10 * limit {
		name := fmt.Sprintf("user%d@contoso.com", i)
		stranger := actors.of(key, &normalise.Actor{Type: schemas.ActorPerson, UPN: name})
		if actors.of(key, &ada) != first {
			t.Fatalf("one who is always met was forgotten after %d others", i)
		}
		if again := actors.of(key, &normalise.Actor{Type: schemas.ActorPerson, UPN: strings.Clone(name)}); again != stranger {
			t.Fatal("one who was just met was forgotten")
		}
		for names := range actors.met.items {
			if unsafe.StringData(names.UPN) == unsafe.StringData(ada.UPN) || unsafe.StringData(names.UPN) == unsafe.StringData(name) {
				t.Fatalf("%q is remembered as it was given", names.UPN)
			}
		}
		if actors.met.len() > limit {
			t.Fatalf("%d actors are remembered", actors.met.len())
		}
	}
	if _, met := actors.met.get(normalise.Actor{Type: schemas.ActorPerson, UPN: "user0@contoso.com"}); met {
		t.Error("one who was met long ago is remembered")
	}
}

// What nobody knows has no names, and a machine no alias.
func TestKnownActors_withoutNames(t *testing.T) {
	key, actors := testKey(t), newKnownActors(2)
	if nobody := actors.of(key, &normalise.Actor{Type: schemas.ActorUnknown}); nobody.key != "" || nobody.self != (schemas.Pseudonym{}) {
		t.Errorf("%+v", nobody)
	}
	machine := actors.of(key, &normalise.Actor{Type: schemas.ActorService, App: "backup", ObjectID: adaID})
	if machine.key == "" || machine.self == (schemas.Pseudonym{}) || len(machine.aliases) != 0 {
		t.Errorf("%+v", machine)
	}
}
