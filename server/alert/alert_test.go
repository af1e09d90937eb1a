package alert

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase/phrasetest"
)

var evening = time.Date(2026, 12, 1, 17, 0, 0, 0, time.UTC)

func provider(affected int) []Common {
	return []Common{{Kind: "provider", Key: "AS64498 Beispiel", Affected: affected, Members: 8}}
}

// told returns what a tracker tells in situations that follow each other.
func told(t *testing.T, rules []Rule, situations ...Situation) (all []string) {
	t.Helper()
	var tracker Tracker
	for _, s := range situations {
		for _, e := range tracker.Look(rules, s) {
			word := "begins "
			if e.Over {
				word = "ends "
			}
			all = append(all, s.Now.Format("15:04:05 ")+word+e.Rule.Name+" "+e.Key)
		}
	}
	return all
}

func every(step time.Duration, n int, change func(at time.Duration, s *Situation)) (all []Situation) {
	for i := range n {
		s := Situation{Now: evening.Add(time.Duration(i) * step)}
		change(time.Duration(i)*step, &s)
		all = append(all, s)
	}
	return all
}

func TestHoldTimes(t *testing.T) {
	rules := []Rule{{Name: "r", When: CommonCause, Hold: Duration(30 * time.Second)}}
	got := told(t, rules, every(10*time.Second, 12, func(at time.Duration, s *Situation) {
		// 20 s are too short; from 40 s on, it lasts 50 s. How many are affected does not matter.
		if at < 20*time.Second || at >= 40*time.Second && at < 90*time.Second {
			s.Common = provider(3 + int(at/time.Minute))
		}
	})...)
	want := []string{"17:01:10 begins r provider AS64498 Beispiel", "17:01:30 ends r provider AS64498 Beispiel"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFlickeringIsToldOnce(t *testing.T) {
	rules := []Rule{{Name: "r", When: Collector}}
	got := told(t, rules, every(time.Minute, 40, func(at time.Duration, s *Situation) {
		if at/time.Minute%2 == 0 {
			s.Failed = []string{"store"}
		}
	})...)
	// It begins again a quarter of an hour after its end.
	want := []string{"17:00:00 begins r store", "17:01:00 ends r store", "17:16:00 begins r store", "17:17:00 ends r store", "17:32:00 begins r store", "17:33:00 ends r store"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOnlyNearASession(t *testing.T) {
	session := Session{ID: "s", Council: "Rat", Starts: evening.Add(2 * time.Hour), Closes: evening.Add(4 * time.Hour), Red: 5, Members: 60}
	rules := []Rule{
		{Name: "common", When: CommonCause, Before: Duration(time.Hour)},
		{Name: "red", When: ManyRed, AtLeast: 5, Before: Duration(30 * time.Minute)},
		{Name: "more", When: ManyRed, AtLeast: 6},
		{Name: "any time", When: Collector},
	}
	got := told(t, rules, every(30*time.Minute, 10, func(at time.Duration, s *Situation) {
		s.Common, s.Failed = provider(6), []string{"disk"}
		if at < 4*time.Hour {
			s.Sessions = []Session{session}
		}
	})...)
	want := []string{
		"17:00:00 begins any time disk", "18:00:00 begins common provider AS64498 Beispiel", "18:30:00 begins red s",
		"21:00:00 ends common provider AS64498 Beispiel", "21:00:00 ends red s",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := told(t, rules, Situation{Now: evening, Common: provider(6)}); got != nil {
		t.Errorf("without a session: got %q, want nothing", got)
	}
}

func TestTextsAgree(t *testing.T) {
	books := phrasetest.Books(t, Texts)
	for lang, b := range books {
		for _, e := range []Event{
			{Rule: Rule{When: CommonCause}, Common: Common{Kind: "server", Key: "bbb.example.org", Affected: 6, Members: 8}},
			{Rule: Rule{When: CommonCause}, Common: Common{Kind: "own"}}, {Rule: Rule{When: CommonCause}, Common: Common{Kind: "provider"}},
			{Rule: Rule{When: CommonCause}, Common: Common{Kind: "site"}}, {Rule: Rule{When: CommonCause}, Common: Common{Kind: "version"}},
			{Rule: Rule{When: ManyRed}, Session: Session{Council: "Rat\r\nBcc: x@example.org", Starts: evening, Red: 5, Members: 60}},
			{Rule: Rule{When: Collector}, Part: "store"}, {Rule: Rule{When: Collector}, Part: "disk"}, {Rule: Rule{When: Collector}, Part: "reflector", Key: "reflector"},
		} {
			for _, over := range []bool{false, true} {
				e.Over = over
				m := Write(b, e, time.UTC, evening, "")
				if m.Title == "" || m.Text == "" || strings.ContainsAny(m.Title+m.Text, "‹{}\r\n") {
					t.Errorf("%s, %+v: got %q, %q", lang, e, m.Title, m.Text)
				}
			}
		}
		if m := Test(b, evening, ""); strings.Contains(m.Title+m.Text, "‹") {
			t.Errorf("%s: got %+v", lang, m)
		}
	}
	m := Write(books[phrase.EN], Event{Rule: Rule{When: ManyRed}, Session: Session{Council: "Rat", Starts: evening, Red: 5, Members: 60}}, time.FixedZone("", 3600), evening, "")
	if m.Title != "Rat, 18:00: 5 of 60 are not ready" {
		t.Errorf("got %q", m.Title)
	}
}
