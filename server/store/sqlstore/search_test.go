package sqlstore

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/internal/storetest"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/pgtest"
)

// TestSearchOfTooMany: a search finds the same participants if it has more results than
// its index permits.
func TestSearchOfTooMany(t *testing.T) {
	run := func(t *testing.T, open func(t *testing.T) *Store) {
		storetest.RunSearch(t, func(t *testing.T) store.Store {
			s := open(t)
			s.limits.found = -1
			return s
		})
	}
	t.Run("SQLite", func(t *testing.T) { run(t, newSQLite) })
	t.Run("PostgreSQL", func(t *testing.T) {
		template := migrated(t)
		run(t, func(t *testing.T) *Store { return openPostgres(t, pgtest.Copy(t, template)) })
	})
}

// TestSearchWithFewCandidates: if one word has too many candidates, those of another word
// are read; if all words have too many, the rows are compared.
func TestSearchWithFewCandidates(t *testing.T) {
	s := newSQLite(t)
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
					t.Errorf("limits %+v, %q: got %d, want %d (error %v)", s.limits, search, len(page.States), want, err)
				}
			}
		}
	}
}

// TestSimilarWordsShareAPart: each word that resembles another one has one of the parts
// with which that one is searched.
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
			t.Fatalf("%q is similar to %q, but is not a candidate", string(n), string(w))
		}
	}
}

// TestSearchByIDsAndInOrder compares the pages of a search that reads the participants it
// finds with those of one that reads the list.
func TestSearchByIDsAndInOrder(t *testing.T) {
	s := newSQLite(t)
	verdicts := []report.Verdict{report.Ready, report.NotReady, report.Limited, report.Unknown, ""}
	for i := range 30 {
		id, agent := enrolled(t, s)
		name := fmt.Sprintf("Anna %c", 'a'+i%7)
		if i%10 == 9 {
			name = "Berta"
		}
		if err := s.EditParticipant(t.Context(), id, name, ""); err != nil {
			t.Fatal(err)
		}
		if v := verdicts[i%len(verdicts)]; v != "" {
			r := newReport(i)
			r.Report.Verdict, r.CheckedAt = v, evening.Add(-time.Duration(i/2)*time.Hour)
			if _, err := s.SaveReports(t.Context(), agent, []store.NewReport{r}); err != nil {
				t.Fatal(err)
			}
		}
		if i%6 == 5 {
			if err := s.SetBlocked(t.Context(), id, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	pages := func(q store.StateQuery) (ids []string) {
		t.Helper()
		for range 100 {
			page, err := s.ParticipantStates(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page.States {
				ids = append(ids, p.ID)
			}
			if q.After = page.Next; q.After == "" {
				return ids
			}
		}
		t.Fatal("the pages do not end")
		return nil
	}
	for _, order := range []store.Order{store.ByName, store.ByRecent, store.ByUrgency} {
		for _, q := range []store.StateQuery{{}, {Verdict: report.Unknown}, {Verdict: report.NotReady}, {Old: true}, {Never: true}, {Blocked: store.BlockedNot}, {Blocked: store.BlockedOnly}} {
			for _, since := range []time.Time{{}, evening.Add(-6 * time.Hour)} {
				for _, limit := range []int{1, 4, 100} {
					q.Order, q.FreshSince, q.Limit, q.Search = order, since, limit, "anna"
					s.limits.found = defaultSearchLimits.found
					got := pages(q)
					s.limits.found = -1
					if want := pages(q); !slices.Equal(got, want) {
						t.Errorf("%+v: got %v, want %v", q, got, want)
					}
				}
			}
		}
	}
}

// TestALongNameHasFewParts: a name of a megabyte costs no more than a long one.
func TestALongNameHasFewParts(t *testing.T) {
	letters := strings.Repeat("abcdefghij", 100_000)
	for name, keys := range map[string][2]string{"one word": {letters, ""}, "many words": {strings.Repeat("ab ", 300_000), ""}, "digits": {"", strings.Repeat("0123456789", 100_000)}} {
		if n := len(partsOfKeys(keys[0], keys[1])); n == 0 || n > maxParts {
			t.Errorf("%s: got %d parts, want 1 to %d", name, n, maxParts)
		}
	}
}
