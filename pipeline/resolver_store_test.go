package pipeline

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// unreliable fails at the calls that a test says, before or after they took
// effect.
type unreliable struct {
	Names
	failLearn, loseAnswer bool
	lookups               int
}

func (u *unreliable) Lookup(ctx context.Context, keys []schemas.Pseudonym) ([][]byte, error) {
	u.lookups++
	return u.Names.Lookup(ctx, keys)
}

func (u *unreliable) Learn(ctx context.Context, names []Name) ([]bool, error) {
	if u.failLearn {
		return nil, errInjected
	}
	stored, err := u.Names.Learn(ctx, names)
	if u.loseAnswer {
		return nil, errInjected
	}
	return stored, err
}

// A batch that could not store what it learned teaches it when it is done again.
func TestResolver_learnsAgain(t *testing.T) {
	for _, lose := range []bool{false, true} {
		t.Run(fmt.Sprint("answer lost ", lose), func(t *testing.T) {
			names := &unreliable{Names: NewMemoryNames(), failLearn: !lose, loseAnswer: lose}
			r := newResolver(t, names, nil)
			mapper := scripted{"x": {Links: []normalise.Actor{{Type: schemas.ActorPerson, UPN: "ada@contoso.com", ObjectID: adaID}}}}
			var out Batch
			b := NewBatchNormaliser(mapper, r)
			raws := []normalise.Raw{{Value: []byte("x")}}
			if err := b.Process(t.Context(), schemas.SourceFile, raws, &out); !errors.Is(err, errInjected) {
				t.Fatalf("error %v", err)
			}
			names.failLearn, names.loseAnswer = false, false
			if err := b.Process(t.Context(), schemas.SourceFile, raws, &out); err != nil {
				t.Fatal(err)
			}
			if got := people(t, newResolver(t, names, nil), &out, normalise.Actor{ObjectID: adaID}); got[0] != "upn:ada@contoso.com" {
				t.Errorf("another process sees %s", got[0])
			}
		})
	}
}

// Names are asked for once; unknown ones again after a while, since another
// service may have learned them.
func TestResolver_cache(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	names := &unreliable{Names: NewMemoryNames()}
	r := newResolver(t, names, func(d *ResolverDeps) { d.Now = func() time.Time { return now } })
	var out Batch
	for range 3 {
		people(t, r, &out, normalise.Actor{ObjectID: adaID})
	}
	if names.lookups != 1 {
		t.Errorf("%d lookups, want 1", names.lookups)
	}
	people(t, newResolver(t, names, nil), &out, normalise.Actor{UPN: "ada@contoso.com", ObjectID: adaID})
	now = now.Add(6 * time.Second)
	if got := people(t, r, &out, normalise.Actor{ObjectID: adaID}); got[0] != "upn:ada@contoso.com" {
		t.Errorf("after a while: %s", got[0])
	}
}
