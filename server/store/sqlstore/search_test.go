package sqlstore

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/internal/storetest"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/pgtest"
)

// TestSearchOfTooMany finds the same where each search has more results than its index
// serves.
func TestSearchOfTooMany(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) *Store{
		"SQLite":     func(t *testing.T) *Store { return open(t, filepath.Join(t.TempDir(), "c.db")) },
		"PostgreSQL": func(t *testing.T) *Store { return openPostgres(t, pgtest.Database(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			storetest.RunSearch(t, func(t *testing.T) store.Store {
				s := open(t)
				s.limits.found = -1
				return s
			})
		})
	}
}

// TestSearchWithFewCandidates: where one word is that of too many, another one is looked
// for, and where each is, the rows are compared.
func TestSearchWithFewCandidates(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "c.db"))
	for i := range 40 {
		p := store.Participant{ID: uuid.NewString(), Name: fmt.Sprintf("Leonhard Amann %c", 'A'+i%4), Phone: fmt.Sprintf("0228 %02d", i), CreatedAt: evening}
		if err := s.AddParticipant(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	for _, candidates := range []int{0, 5, 15, 100} {
		for _, found := range []int{0, 7, 50} {
			s.limits = searchLimits{candidates, found}
			for search, want := range map[string]int{"leonhard": 40, "leonhard b": 10, "leonhard c": 10, "0228": 40, "022812": 1, "nobody": 0, "leonhard x": 0} {
				page, err := s.ParticipantStates(t.Context(), store.StateQuery{Search: search})
				if err != nil || len(page.States) != want {
					t.Errorf("limits %+v, %q: %d, want %d (%v)", s.limits, search, len(page.States), want, err)
				}
			}
		}
	}
}

// TestSimilarWordsShareAPart: each word that is like another one has one of the parts by
// which it is looked for.
func TestSimilarWordsShareAPart(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	letters := []rune("abcü") // few, so that words repeat letters
	word := func(n int) []rune {
		w := make([]rune, n)
		for i := range w {
			w[i] = letters[random.IntN(len(letters))]
		}
		return w
	}
	for range 20_000 {
		w := word(1 + random.IntN(9))
		n := slices.Clone(w)
		switch i := random.IntN(len(w)); random.IntN(5) {
		case 0:
			n[i] = letters[random.IntN(len(letters))]
		case 1:
			n = slices.Delete(n, i, i+1)
		case 2:
			n = slices.Insert(n, i, letters[random.IntN(len(letters))])
		case 3:
			if i > 0 {
				n[i-1], n[i] = n[i], n[i-1]
			}
		}
		n = append(n, word(random.IntN(3))...)
		if !alike([]string{string(w)}, []string{string(n)}) {
			continue
		}
		if !slices.ContainsFunc(partsOfSimilar(string(w)), func(p part) bool {
			return slices.ContainsFunc(partsOfKeys(string(n), ""), func(has searchPart) bool {
				return has.kind == p.kind && strings.HasPrefix(has.part, p.begins) && has.place >= p.from && has.place <= p.to
			})
		}) {
			t.Fatalf("%q is like %q, and is not looked for", string(n), string(w))
		}
	}
}
