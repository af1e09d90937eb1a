package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// notReady saves a report with the cause audio.os_muted and returns its id.
func notReady(t *testing.T, s store.Store, agent string, checked time.Time) string {
	t.Helper()
	r := newReport("K7P-3QX", report.NotReady, checked)
	_, err := s.SaveReports(t.Context(), agent, []store.NewReport{r})
	must(t, err)
	return r.Report.ID
}

func taken(by, from string, at time.Time) store.CaseEntry {
	return store.CaseEntry{At: at, By: by, Kind: store.CaseWasTaken, From: from}
}

func closed(by, cause, text string, at time.Time) store.CaseEntry {
	return store.CaseEntry{At: at, By: by, Kind: store.CaseWasClosed, Cause: cause, Text: text}
}

func cases(t *testing.T, s store.Store) {
	ctx := t.Context()
	p, agent := person(t, s, "Anna")
	id := notReady(t, s, agent, evening)
	fresh, err := s.Case(ctx, id)
	must(t, err)
	if fresh.State != store.CaseOpen || fresh.ReportID != id || fresh.ParticipantID != p || fresh.Code != "K7P-3QX" || fresh.Named != "audio.os_muted" || len(fresh.Entries) != 0 {
		t.Errorf("a new case: got %+v; want State %v, ReportID %v, ParticipantID %v, Code %q, Named %q, Entries none", fresh, store.CaseOpen, id, p, "K7P-3QX", "audio.os_muted")
	}
	_, err = s.Case(ctx, "x")
	wantError(t, "no report", err, store.ErrNotFound)
	_, err = s.AddCaseEntry(ctx, "x", taken("Eva", "", evening))
	wantError(t, "an entry without a report", err, store.ErrNotFound)

	at := evening
	add := func(e store.CaseEntry) (store.Case, error) {
		at = at.Add(time.Minute)
		e.At = at
		return s.AddCaseEntry(ctx, id, e)
	}
	good := func(e store.CaseEntry, state store.CaseState, by, cause string) {
		t.Helper()
		c, err := add(e)
		must(t, err)
		stored, err := s.Case(ctx, id)
		must(t, err)
		for _, c := range []store.Case{c, stored} {
			if c.State != state || c.By != by || c.Cause != cause {
				t.Errorf("after %+v: got %s by %q, cause %q; want %s by %q, cause %q", e, c.State, c.By, c.Cause, state, by, cause)
			}
		}
	}
	bad := func(e store.CaseEntry, state store.CaseState, by string) {
		t.Helper()
		var conflict *store.CaseConflictError
		if _, err := add(e); !errors.As(err, &conflict) || conflict.State != state || conflict.By != by {
			t.Errorf("%+v: got error %v, want a conflict with %s by %q", e, err, state, by)
		}
	}
	released := func(by, from string) store.CaseEntry {
		return store.CaseEntry{By: by, Kind: store.CaseReleased, From: from}
	}
	good(released("Eva", ""), store.CaseOpen, "", "") // has no effect
	good(store.CaseEntry{By: "Eva", Kind: store.CaseNoted, Text: "ruft zurück <b>"}, store.CaseOpen, "", "")
	bad(taken("Eva", "Max", at), store.CaseOpen, "")
	bad(store.CaseEntry{By: "Eva", Kind: store.CaseReopened}, store.CaseOpen, "")
	good(taken("Eva", "", at), store.CaseTaken, "Eva", "")
	good(taken("Eva", "", at), store.CaseTaken, "Eva", "") // again: no effect
	bad(taken("Max", "", at), store.CaseTaken, "Eva")
	bad(released("Max", ""), store.CaseTaken, "Eva")
	bad(closed("Max", "audio.os_muted", "", at), store.CaseTaken, "Eva")
	good(taken("Max", "Eva", at), store.CaseTaken, "Max", "")
	good(released("Max", ""), store.CaseOpen, "", "")
	good(closed("Eva", "audio.in_use", "Zoom war offen", at), store.CaseClosed, "Eva", "audio.in_use")
	good(closed("Eva", "audio.in_use", "", at), store.CaseClosed, "Eva", "audio.in_use") // twice: no effect
	bad(closed("Eva", "audio.os_muted", "", at), store.CaseClosed, "Eva")
	bad(closed("Max", "audio.in_use", "", at), store.CaseClosed, "Eva")
	bad(taken("Max", "Eva", at), store.CaseClosed, "Eva")
	good(store.CaseEntry{By: "Max", Kind: store.CaseNoted, Text: "hat sich bedankt"}, store.CaseClosed, "Eva", "audio.in_use")
	good(store.CaseEntry{By: "Max", Kind: store.CaseReopened}, store.CaseTaken, "Max", "")
	good(store.CaseEntry{By: "Max", Kind: store.CaseReopened}, store.CaseTaken, "Max", "") // twice: no effect
	bad(store.CaseEntry{By: "Eva", Kind: store.CaseReopened}, store.CaseTaken, "Max")
	good(closed("Max", store.CauseNone, "", at), store.CaseClosed, "Max", store.CauseNone)

	c, err := s.Case(ctx, id)
	must(t, err)
	var got []string
	for _, e := range c.Entries {
		if e.At.Before(evening) || e.From != "" {
			t.Errorf("got entry %+v, want none before %v and no From", e, evening)
		}
		got = append(got, strings.Trim(fmt.Sprintf("%s %s %s %s", e.By, e.Kind, e.Cause, e.Text), " "))
	}
	want := []string{"Eva note  ruft zurück <b>", "Eva taken", "Max taken", "Max released", "Eva closed audio.in_use Zoom war offen", "Max note  hat sich bedankt", "Max reopened", "Max closed none"}
	if !slices.Equal(got, want) {
		t.Errorf("got entries %q, want %q", got, want)
	}

	for _, e := range []store.CaseEntry{
		{By: "Eva", Kind: store.CaseNoted}, {By: "Eva", Kind: store.CaseNoted, Text: "  "}, {By: "Eva", Kind: store.CaseNoted, Text: "two\nlines"},
		{By: "Eva", Kind: store.CaseNoted, Text: "\xff"}, {By: "Eva", Kind: store.CaseNoted, Text: strings.Repeat("ä", 501)}, {By: "", Kind: store.CaseNoted, Text: "x"},
		{By: "Eva", Kind: "x"}, {By: "Eva", Kind: store.CaseNoted, Text: "x", Cause: "none"}, closed("Eva", "", "", at), closed("Eva", "a'; DROP", "", at),
		closed("Eva", store.CauseOther, "", at), closed("Eva", "audio.os_muted"+strings.Repeat("x", 50), "", at),
	} {
		var problem *store.InputError
		if _, err := add(e); !errors.As(err, &problem) {
			t.Errorf("%+v: got error %v, want an InputError", e, err)
		}
	}
	for range store.MaxCaseNotes - 2 { // two are there
		_, err := add(store.CaseEntry{By: "Eva", Kind: store.CaseNoted, Text: strings.Repeat("ä", store.MaxCaseNoteRunes)})
		must(t, err)
	}
	var problem *store.InputError
	if _, err := add(store.CaseEntry{By: "Eva", Kind: store.CaseNoted, Text: "x"}); !errors.As(err, &problem) {
		t.Errorf("one note too many: %v", err)
	}
	// A case that is full of notes can be worked on.
	good(store.CaseEntry{By: "Max", Kind: store.CaseReopened}, store.CaseTaken, "Max", "")
	good(taken("Eva", "Max", at), store.CaseTaken, "Eva", "")
	good(released("Eva", ""), store.CaseOpen, "", "")
	good(closed("Max", store.CauseNone, "", at), store.CaseClosed, "Max", store.CauseNone)

	later := notReady(t, s, agent, evening.Add(time.Hour))
	_, err = s.AddCaseEntry(ctx, later, taken("Eva", "", at.Add(time.Hour)))
	must(t, err)
	quiet := notReady(t, s, agent, evening.Add(3*time.Hour))
	_, err = s.AddCaseEntry(ctx, quiet, released("Eva", "")) // has no effect
	must(t, err)
	list, err := s.ParticipantCases(ctx, p, 10)
	must(t, err)
	if len(list) != 2 || list[0].ReportID != later || list[0].By != "Eva" || list[1].ReportID != id || list[1].Cause != store.CauseNone {
		t.Errorf("cases of Anna: got %+v; want 2 entries, [0].ReportID %v, [0].By %q, [1].ReportID %v, [1].Cause %v", list, later, "Eva", id, store.CauseNone)
	}
}

// casesOfDoubleClicks: a note that is sent twice is there once.
func casesOfDoubleClicks(t *testing.T, s store.Store) {
	_, agent := person(t, s, "Anna")
	id := notReady(t, s, agent, evening)
	for _, n := range []struct {
		by, text string
		at       time.Duration
		want     int // entries
	}{
		{"Eva", "ruft zurück", 0, 1},
		{"Eva", "ruft zurück", time.Second, 1},
		{"Eva", "ruft zurück", -time.Millisecond, 1}, // overtaken
		{"Max", "ruft zurück", time.Second, 2},
		{"Eva", "ruft zurück", 2 * time.Second, 2}, // not her last entry of all, but her last note
		{"Eva", "besetzt", 3 * time.Second, 3},
		{"Eva", "ruft zurück", 4 * time.Second, 4},
		{"Eva", "ruft zurück", time.Minute, 5},
	} {
		c, err := s.AddCaseEntry(t.Context(), id, store.CaseEntry{At: evening.Add(n.at), By: n.by, Kind: store.CaseNoted, Text: n.text})
		must(t, err)
		if stored, err := s.Case(t.Context(), id); err != nil || len(c.Entries) != n.want || len(stored.Entries) != n.want {
			t.Errorf("%+v: %d entries, stored %d, %v", n, len(c.Entries), len(stored.Entries), err)
		}
	}
}

// casesWhileMany: of supporters who take a case at once, one gets it.
func casesWhileMany(t *testing.T, s store.Store) {
	_, agent := person(t, s, "Anna")
	id := notReady(t, s, agent, evening)
	const n = 8
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			_, errs[i] = s.AddCaseEntry(t.Context(), id, taken(fmt.Sprintf("Helper %d", i), "", evening))
		})
	}
	wg.Wait()
	c, err := s.Case(t.Context(), id)
	must(t, err)
	for i, err := range errs {
		var conflict *store.CaseConflictError
		switch name := fmt.Sprintf("Helper %d", i); {
		case err == nil && c.By == name:
		case errors.As(err, &conflict) && conflict.By == c.By && c.By != name:
		default:
			t.Errorf("%s: got error %v, but the case is taken by %q", name, err, c.By)
		}
	}
	if len(c.Entries) != 1 {
		t.Errorf("got %d entries, want 1", len(c.Entries))
	}
	// No concurrently added note is lost.
	for i := range n {
		wg.Go(func() {
			_, errs[i] = s.AddCaseEntry(t.Context(), id, store.CaseEntry{At: evening, By: "Eva", Kind: store.CaseNoted, Text: fmt.Sprint(i)})
		})
	}
	wg.Wait()
	must(t, errors.Join(errs...))
	if c, err := s.Case(t.Context(), id); err != nil || len(c.Entries) != 1+n {
		t.Errorf("got %d entries, error %v; want %d", len(c.Entries), err, 1+n)
	}
}

// caseCounts: the counts remain after reports and participants were deleted, without personal data.
func caseCounts(t *testing.T, s store.Store) {
	ctx := t.Context()
	anna, agent := person(t, s, "Anna")
	berta, other := person(t, s, "Berta")
	for i, cause := range []string{"audio.os_muted", "audio.os_muted", "audio.in_use", store.CauseNone, store.CauseUnknown} {
		id := notReady(t, s, agent, evening.Add(time.Duration(i)*time.Minute))
		_, err := s.AddCaseEntry(ctx, id, closed("Eva", cause, "Frau Anna", evening.Add(time.Duration(i)*time.Minute)))
		must(t, err)
	}
	open := notReady(t, s, agent, evening.Add(6*time.Minute))
	_, err := s.AddCaseEntry(ctx, open, taken("Eva", "", evening))
	must(t, err)
	bertas := notReady(t, s, other, evening)
	_, err = s.AddCaseEntry(ctx, bertas, closed("Max", "audio.os_muted", "", evening.AddDate(0, 0, 1)))
	must(t, err)
	again := notReady(t, s, other, evening)
	_, err = s.AddCaseEntry(ctx, again, closed("Max", "audio.os_muted", "", evening))
	must(t, err)
	_, err = s.AddCaseEntry(ctx, again, store.CaseEntry{At: evening, By: "Max", Kind: store.CaseReopened}) // no longer counted
	must(t, err)
	count := func(since time.Time) (got []string) {
		t.Helper()
		list, err := s.CountCauses(ctx, since)
		must(t, err)
		for _, c := range list {
			got = append(got, fmt.Sprintf("%s/%s %d", c.Named, c.True, c.Cases))
		}
		slices.Sort(got)
		return got
	}
	all := []string{"audio.os_muted/audio.in_use 1", "audio.os_muted/audio.os_muted 3", "audio.os_muted/none 1", "audio.os_muted/unknown 1"}
	if got := count(time.Time{}); !slices.Equal(got, all) {
		t.Errorf("got %q, want %q", got, all)
	}
	if got, want := count(evening.AddDate(0, 0, 1)), []string{"audio.os_muted/audio.os_muted 1"}; !slices.Equal(got, want) {
		t.Errorf("from a day later: got %q, want %q", got, want)
	}
	first, err := s.ParticipantCases(ctx, anna, 10)
	must(t, err)
	n, err := s.DeleteReports(ctx, evening.AddDate(1, 0, 0), 100)
	must(t, err)
	if n == 0 {
		t.Fatal("no report was deleted")
	}
	if got := count(time.Time{}); !slices.Equal(got, all) {
		t.Errorf("after retention: got %q, want %q", got, all)
	}
	gone := 0
	for _, c := range first {
		if _, err := s.Case(ctx, c.ReportID); errors.Is(err, store.ErrNotFound) {
			gone++
			_, err := s.AddCaseEntry(ctx, c.ReportID, taken("Eva", "", evening))
			wantError(t, "an entry of a deleted case", err, store.ErrNotFound)
		}
	}
	if left, err := s.ParticipantCases(ctx, anna, 10); err != nil || gone == 0 || len(left) != len(first)-gone {
		t.Errorf("got %d of %d cases left, %d deleted, error %v; want %d left", len(left), len(first), gone, err, len(first)-gone)
	}
	must(t, s.DeleteParticipant(ctx, anna, evening))
	must(t, s.DeleteParticipant(ctx, berta, evening))
	if got := count(time.Time{}); !slices.Equal(got, all) {
		t.Errorf("after both were deleted: got %q, want %q", got, all)
	}
	// Of the time only the day is kept.
	if got, want := count(evening.AddDate(0, 0, 1).Truncate(24*time.Hour)), []string{"audio.os_muted/audio.os_muted 1"}; !slices.Equal(got, want) {
		t.Errorf("of that day: got %q, want %q", got, want)
	}
	if got := count(evening.AddDate(0, 0, 1).Truncate(24 * time.Hour).Add(time.Millisecond)); len(got) != 0 {
		t.Errorf("the time of a deleted case is kept: %q", got)
	}
}
