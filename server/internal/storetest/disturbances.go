package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/store"
)

// entry returns an entry about people, each as id=text.
func entry(kind store.DisturbanceKind, minute, about int, participant string, people ...string) store.DisturbanceEntry {
	e := store.DisturbanceEntry{Key: uuid.NewString(), Kind: kind, At: evening.Add(time.Duration(minute) * time.Minute), About: about, ParticipantID: participant}
	e.Text = fmt.Sprintf(`{"kind":%q,"minute":%d}`, kind, minute)
	for _, p := range people {
		id, text, _ := strings.Cut(p, "=")
		e.People = append(e.People, store.PersonText{ParticipantID: id, Hash: store.TextHash(text), Text: text})
		e.Text += store.TextHash(text)
	}
	return e
}

// chained checks all hashes of a record.
func chained(t *testing.T, r store.DisturbanceRecord) {
	t.Helper()
	hash := store.TextHash(r.Head)
	for i, e := range r.Entries {
		if hash = store.ChainHash(hash, e.Text); e.Hash != hash || e.Number != i+1 {
			t.Errorf("entry %d has number %d, hash %s; want %s", i+1, e.Number, e.Hash, hash)
		}
		for _, p := range e.People {
			if !strings.Contains(e.Text, p.Hash) || p.Text != "" && store.TextHash(p.Text) != p.Hash {
				t.Errorf("entry %d: got hash %s of %q, want the hash in the entry and that of the text", i+1, p.Hash, p.Text)
			}
		}
	}
	if r.Hash() != hash {
		t.Errorf("got hash %s, want %s", r.Hash(), hash)
	}
}

func disturbances(t *testing.T, s store.Store) {
	ctx := t.Context()
	anna, _ := person(t, s, "Anna")
	berta, _ := person(t, s, "Berta")
	begin := store.DisturbanceRecord{SessionID: uuid.NewString(), Head: `{"council":"Rat <b>"}`, StartsAt: evening}
	_, err := s.DisturbanceRecord(ctx, begin.SessionID)
	wantError(t, "no record", err, store.ErrNotFound)
	_, err = s.DisturbanceOutline(ctx, begin.SessionID)
	wantError(t, "no record", err, store.ErrNotFound)

	add := func(e store.DisturbanceEntry) store.DisturbanceEntry {
		t.Helper()
		next, got, err := s.AddDisturbanceEntry(ctx, begin, e)
		must(t, err)
		r, err := s.DisturbanceRecord(ctx, begin.SessionID)
		must(t, err)
		chained(t, r)
		for i := range r.Entries[:len(r.Entries)-1] {
			if e := next.Entries[i]; e.Text != "" || len(e.People) > 0 {
				t.Errorf("added to %+v, want the entries before without texts and people", next)
			}
		}
		outline, err := s.DisturbanceOutline(ctx, begin.SessionID)
		must(t, err)
		for i := range r.Entries {
			r.Entries[i].Text, r.Entries[i].People = "", nil
		}
		if !reflect.DeepEqual(outline, r) || outline.Hash() != next.Hash() {
			t.Errorf("got outline %+v, want %+v", outline, r)
		}
		return got
	}
	refused := func(e store.DisturbanceEntry, want error) {
		t.Helper()
		_, _, err := s.AddDisturbanceEntry(ctx, begin, e)
		wantError(t, fmt.Sprintf("%s at %v", e.Kind, e.At), err, want)
	}
	first := entry(store.DisturbanceReported, 1, 0, anna, anna+"=Anna", berta+"=Berta ready", "=Eva")
	if got := add(first); got.Number != 1 {
		t.Errorf("got entry %+v, want number 1", got)
	}
	if got := add(first); got.Number != 1 { // sent twice
		t.Errorf("sent twice: got entry %+v, want number 1", got)
	}
	if got := add(entry(store.DisturbanceReported, 2, 0, anna, anna+"=Anna")); got.Number != 1 { // pressed again
		t.Errorf("reported while it is open: got entry %+v, want number 1", got)
	}
	if got := add(entry(store.DisturbanceReported, 2, 0, berta, berta+"=Berta", anna+"=Anna reported")); got.Number != 2 {
		t.Errorf("of another person: got entry %+v, want number 2", got)
	}
	refused(entry(store.DisturbanceEnded, 3, 7, ""), store.ErrNoDisturbance)
	var problem *store.InputError
	if _, _, err := s.AddDisturbanceEntry(ctx, begin, entry(store.DisturbanceEnded, 0, 1, "")); !errors.As(err, &problem) {
		t.Errorf("over before it began: got error %v, want an InputError", err)
	}
	add(entry(store.DisturbanceEnded, 3, 1, ""))
	refused(entry(store.DisturbanceEnded, 4, 1, ""), store.ErrNoDisturbance)
	if got := add(entry(store.DisturbanceReported, 5, 0, anna, anna+"=Anna")); got.Number != 4 {
		t.Errorf("reported again: got entry %+v, want number 4", got)
	}
	if got := add(entry(store.DisturbanceReported, 14, 0, anna, anna+"=Anna")); got.Number != 4 {
		t.Errorf("reported again 9 min later: got entry %+v, want number 4", got)
	}
	if got := add(entry(store.DisturbanceReported, 15, 0, anna, anna+"=Anna")); got.Number != 5 {
		t.Errorf("reported again 10 min later, while the first is not over: got entry %+v, want number 5", got)
	}
	if got := add(entry(store.DisturbanceReported, 16, 0, anna, anna+"=Anna")); got.Number != 5 {
		t.Errorf("reported again 1 min after the second: got entry %+v, want number 5", got)
	}
	add(entry(store.DisturbanceEnded, 16, 5, ""))
	add(entry(store.DisturbanceDiagnosed, 6, 4, "", anna+"=Anna"))
	r, err := s.DisturbanceRecord(ctx, begin.SessionID)
	must(t, err)
	numbers := func(minute int) (n []int) {
		for _, e := range r.Open(evening.Add(time.Duration(minute) * time.Minute)) {
			n = append(n, e.Number)
		}
		return n
	}
	for minute, want := range map[int][]int{0: nil, 1: {1}, 2: {1, 2}, 3: {2}, 5: {2, 4}, 15: {2, 4, 5}, 16: {2, 4}} {
		if got := numbers(minute); !slices.Equal(got, want) {
			t.Errorf("open after %d min: got %v, want %v", minute, got, want)
		}
	}
	hostile := entry(store.DisturbanceCorrected, 7, 0, "", "='; DROP TABLE cases; -- \x00\xff")
	hostile.People[0].Text = "other"
	if _, _, err := s.AddDisturbanceEntry(ctx, begin, hostile); !errors.As(err, &problem) {
		t.Errorf("a wrong hash: got error %v, want an InputError", err)
	}
	large := entry(store.DisturbanceCorrected, 7, 0, "", "="+strings.Repeat("x", 300<<10))
	if _, _, err := s.AddDisturbanceEntry(ctx, begin, large); !errors.As(err, &problem) {
		t.Errorf("too large: got error %v, want an InputError", err)
	}

	add(entry(store.RecordClosed, 8, 0, "", "=Eva"))
	add(entry(store.RecordClosed, 9, 0, "", "=Eva")) // twice: no effect
	refused(entry(store.DisturbanceReported, 9, 0, anna), store.ErrRecordClosed)
	refused(entry(store.DisturbanceEnded, 9, 4, ""), store.ErrRecordClosed)
	refused(entry(store.DisturbanceDiagnosed, 9, 4, ""), store.ErrRecordClosed)
	add(entry(store.DisturbanceCorrected, 9, 0, "", "=it was another time"))
	r, err = s.DisturbanceRecord(ctx, begin.SessionID)
	must(t, err)
	if len(r.Entries) != 9 || r.Closing() == nil || r.Closing().Number != 8 || r.Entries[0].People[1].Text != "Berta ready" {
		t.Errorf("got record %+v, want 9 entries, closed by 8", r)
	}
	list, err := s.DisturbanceRecords(ctx, 10)
	must(t, err)
	if len(list) != 1 || list[0].Reports != 4 || list[0].ClosedAt.IsZero() || list[0].SessionID != begin.SessionID || list[0].Head != begin.Head {
		t.Errorf("got list %+v, want one closed record with 4 reports", list)
	}

	// Erasing a person removes every text about them, and changes no hash and no other text.
	before := r
	must(t, s.DeleteParticipant(ctx, anna, evening))
	r, err = s.DisturbanceRecord(ctx, begin.SessionID)
	must(t, err)
	chained(t, r)
	if r.Hash() != before.Hash() {
		t.Errorf("after erasing: got hash %s, want %s", r.Hash(), before.Hash())
	}
	erased := 0
	for i, e := range r.Entries {
		if e.ParticipantID == anna || e.Text != before.Entries[i].Text {
			t.Errorf("after erasing: got entry %+v, want the same text without the participant", e)
		}
		for k, p := range e.People {
			switch was := before.Entries[i].People[k]; {
			case was.ParticipantID == anna && p.Text == "" && p.ParticipantID == "":
				erased++
			case was.ParticipantID != anna && p == was:
			default:
				t.Errorf("after erasing: got %+v, was %+v", p, was)
			}
		}
	}
	if erased != 5 {
		t.Errorf("got %d erased texts, want 5", erased)
	}

	n, err := s.DeleteDisturbanceRecords(ctx, evening, 10)
	must(t, err)
	again, err := s.DeleteDisturbanceRecords(ctx, evening.Add(time.Second), 10)
	must(t, err)
	if _, err := s.DisturbanceRecord(ctx, begin.SessionID); n != 0 || again != 1 || !errors.Is(err, store.ErrNotFound) {
		t.Errorf("retention: got %d and %d deleted, then error %v; want 0, 1, %v", n, again, err, store.ErrNotFound)
	}
	must(t, s.DeleteParticipant(ctx, berta, evening))
}

// disturbancesWhileMany: concurrent entries form one chain, and one person's is recorded once.
func disturbancesWhileMany(t *testing.T, s store.Store) {
	begin := store.DisturbanceRecord{SessionID: uuid.NewString(), Head: "{}", StartsAt: evening}
	const n = 6
	var people []string
	for i := range n {
		id, _ := person(t, s, fmt.Sprint(i))
		people = append(people, id)
	}
	errs := make([]error, 2*n)
	var wg sync.WaitGroup
	for i := range 2 * n { // each person twice
		wg.Go(func() {
			id := people[i%n]
			_, _, errs[i] = s.AddDisturbanceEntry(t.Context(), begin, entry(store.DisturbanceReported, 1, 0, id, id+"=x"))
		})
	}
	wg.Wait()
	must(t, errors.Join(errs...))
	r, err := s.DisturbanceRecord(t.Context(), begin.SessionID)
	must(t, err)
	chained(t, r)
	seen := map[string]bool{}
	for _, e := range r.Entries {
		seen[e.ParticipantID] = true
	}
	if len(r.Entries) != n || len(seen) != n {
		t.Errorf("got %d entries of %d people, want %d", len(r.Entries), len(seen), n)
	}
}
