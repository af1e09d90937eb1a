package alert

import (
	"slices"
	"strconv"
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

// reported returns the events that a tracker reports in consecutive situations.
func reported(t *testing.T, rules []Rule, situations ...Situation) (all []string) {
	t.Helper()
	var tracker Tracker
	for _, s := range situations {
		for _, e := range tracker.Update(rules, s, func(Rule) bool { return true }) {
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
		s := Situation{Now: evening.Add(time.Duration(i) * step), SessionsKnown: true}
		change(time.Duration(i)*step, &s)
		all = append(all, s)
	}
	return all
}

func TestHoldTimes(t *testing.T) {
	rules := []Rule{{Name: "r", When: CommonCause, Hold: Duration(30 * time.Second)}}
	got := reported(t, rules, every(10*time.Second, 24, func(at time.Duration, s *Situation) {
		// 20 s are too short; from 40 s on, it lasts 50 s. How many are affected does not matter.
		if at < 20*time.Second || at >= 40*time.Second && at < 90*time.Second {
			s.Common = provider(3 + int(at/time.Minute))
		}
	})...)
	want := []string{"17:01:10 begins r provider AS64498 Beispiel", "17:03:30 ends r provider AS64498 Beispiel"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestTheEndIsHeld: an end lasts as long as the beginning did before it is reported, from 2 to 10 minutes.
func TestTheEndIsHeld(t *testing.T) {
	for hold, want := range map[time.Duration]string{0: "17:32:00", time.Minute: "17:32:00", 5 * time.Minute: "17:35:00", 20 * time.Minute: "17:40:00"} {
		got := reported(t, []Rule{{Name: "r", When: Collector, Hold: Duration(hold)}}, every(30*time.Second, 120, func(at time.Duration, s *Situation) {
			if at < 30*time.Minute {
				s.Failed = []string{"store"}
			}
		})...)
		if want := []string{evening.Add(hold).Format(time.TimeOnly) + " begins r store", want + " ends r store"}; !slices.Equal(got, want) {
			t.Errorf("%v: got %q, want %q", hold, got, want)
		}
	}
}

func TestFlickeringIsToldOnce(t *testing.T) {
	rules := []Rule{{Name: "r", When: Collector}}
	for _, c := range []struct {
		period time.Duration
		want   []string
	}{
		{2 * time.Minute, []string{"17:00:00 begins r store", "17:41:00 ends r store"}},
		// It begins again a quarter of an hour after the report of its end.
		{10 * time.Minute, []string{"17:00:00 begins r store", "17:07:00 ends r store", "17:22:00 begins r store", "17:27:00 ends r store"}},
	} {
		got := reported(t, rules, every(time.Minute, 80, func(at time.Duration, s *Situation) {
			if at < 40*time.Minute && at%c.period < c.period/2 {
				s.Failed = []string{"store"}
			}
		})...)
		if !slices.Equal(got, c.want) {
			t.Errorf("each %v: got %q, want %q", c.period, got, c.want)
		}
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
	got := reported(t, rules, every(30*time.Minute, 10, func(at time.Duration, s *Situation) {
		s.Common, s.Failed = provider(6), []string{"disk"}
		if at < 4*time.Hour {
			s.Sessions = []Session{session}
		}
	})...)
	// The end of the session is not reported as the end of a fault that lasts.
	want := []string{"17:00:00 begins any time disk", "18:00:00 begins common provider AS64498 Beispiel", "18:30:00 begins red s"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := reported(t, rules, Situation{Now: evening, SessionsKnown: true, Common: provider(6)}); got != nil {
		t.Errorf("without a session: got %q, want nothing", got)
	}
}

// TestASessionThatLeavesIsNoRecovery: only a condition that has ended is reported as over. A session
// that is cancelled or moved is no evidence of that.
func TestASessionThatLeavesIsNoRecovery(t *testing.T) {
	session := Session{ID: "s", Council: "Rat", Starts: evening.Add(time.Hour), Closes: evening.Add(3 * time.Hour), Red: 5, Members: 60}
	recovered, moved := session, session
	recovered.Red = 4
	moved.Starts, moved.Closes, moved.Red = session.Starts.AddDate(0, 0, 1), session.Closes.AddDate(0, 0, 1), 0
	rules := []Rule{
		{Name: "common", When: CommonCause, Before: Duration(time.Hour)},
		{Name: "red", When: ManyRed, AtLeast: 5, Before: Duration(48 * time.Hour)},
	}
	begins := []string{"17:00:00 begins common provider AS64498 Beispiel", "17:00:00 begins red s"}
	for _, c := range []struct {
		name   string
		then   []Session
		common []Common
		want   []string
	}{
		{"recovered", []Session{recovered}, nil, []string{"17:03:00 ends common provider AS64498 Beispiel", "17:03:00 ends red s"}},
		{"cancelled", nil, provider(6), nil},
		{"moved", []Session{moved}, provider(6), nil},
	} {
		got := reported(t, rules, every(time.Minute, 30, func(at time.Duration, s *Situation) {
			s.Sessions, s.Common = []Session{session}, provider(6)
			if at >= time.Minute {
				s.Sessions, s.Common = c.then, c.common
			}
			if at >= 5*time.Minute { // the fault ends later, without a session near
				s.Common = nil
			}
		})...)
		if want := append(slices.Clone(begins), c.want...); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", c.name, got, want)
		}
	}
}

// TestASessionThatComesBack: an event continues if its rule applies again soon.
func TestASessionThatComesBack(t *testing.T) {
	rules := []Rule{{Name: "common", When: CommonCause, Before: Duration(time.Hour)}}
	got := reported(t, rules, every(time.Minute, 60, func(at time.Duration, s *Situation) {
		if at < 5*time.Minute || at >= 10*time.Minute && at < 20*time.Minute || at >= 40*time.Minute {
			s.Sessions = []Session{{ID: "s", Starts: evening, Closes: evening.Add(2 * time.Hour)}}
		}
		if at < 50*time.Minute {
			s.Common = provider(6)
		}
	})...)
	want := []string{"17:00:00 begins common provider AS64498 Beispiel", "17:40:00 begins common provider AS64498 Beispiel", "17:52:00 ends common provider AS64498 Beispiel"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestUnknownSessions: while the database does not respond, nothing that depends on sessions ends, and
// the fault itself is reported although no session is known to be near.
func TestUnknownSessions(t *testing.T) {
	rules := []Rule{
		{Name: "common", When: CommonCause, Before: Duration(time.Hour)},
		{Name: "own", When: Collector, Before: Duration(time.Hour)},
		{Name: "red", When: ManyRed, AtLeast: 5},
		{Name: "so far", When: CommonCause},
	}
	got := reported(t, rules, every(time.Minute, 50, func(at time.Duration, s *Situation) {
		switch {
		case at < 10*time.Minute:
			s.Sessions, s.Common = []Session{{ID: "s", Starts: evening.Add(time.Minute), Closes: evening.Add(12 * time.Hour), Red: 5}}, provider(6)
		case at < 40*time.Minute:
			s.SessionsKnown, s.Failed = false, []string{"store"}
		default:
			s.Sessions = []Session{{ID: "s", Starts: evening.Add(time.Minute), Closes: evening.Add(12 * time.Hour), Red: 1}}
		}
	})...)
	want := []string{
		"17:00:00 begins common provider AS64498 Beispiel", "17:00:00 begins red s", "17:00:00 begins so far provider AS64498 Beispiel",
		"17:10:00 begins own store", "17:12:00 ends so far provider AS64498 Beispiel",
		"17:42:00 ends common provider AS64498 Beispiel", "17:42:00 ends own store", "17:42:00 ends red s",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// The end of the fault is reported, although no session is near.
	got = reported(t, rules, every(time.Minute, 10, func(at time.Duration, s *Situation) {
		if at < 5*time.Minute {
			s.SessionsKnown, s.Failed = false, []string{"store"}
		}
	})...)
	if want := []string{"17:00:00 begins own store", "17:07:00 ends own store"}; !slices.Equal(got, want) {
		t.Errorf("without a session: got %q, want %q", got, want)
	}
}

// TestUnknownIsNoEnd: time without knowledge about the sessions is no part of the time for which an end is held.
func TestUnknownIsNoEnd(t *testing.T) {
	rules := []Rule{{Name: "red", When: ManyRed, AtLeast: 5}}
	got := reported(t, rules, every(30*time.Second, 30, func(at time.Duration, s *Situation) {
		red := 1
		if at < 2*time.Minute {
			red = 5
		}
		s.SessionsKnown = at < 3*time.Minute || at >= 5*time.Minute
		s.Sessions = []Session{{ID: "s", Starts: evening.Add(time.Hour), Closes: evening.Add(2 * time.Hour), Red: red}}
	})...)
	if want := []string{"17:00:00 begins red s", "17:07:00 ends red s"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestNothingIsLostWhileNobodyLeads: what begins or ends while it may not be reported is reported later.
func TestNothingIsLostWhileNobodyLeads(t *testing.T) {
	rules := []Rule{{Name: "r", When: CommonCause, Hold: Duration(30 * time.Second)}}
	for _, c := range []struct {
		name       string
		may, lasts func(minute int) bool
		want       []string // minutes
	}{
		{"begins meanwhile", func(m int) bool { return m >= 5 }, func(m int) bool { return m < 8 }, []string{"5 begins", "10 ends"}},
		{"ends meanwhile", func(m int) bool { return m < 5 || m >= 9 }, func(m int) bool { return m < 6 }, []string{"1 begins", "9 ends"}},
		{"lasts meanwhile", func(m int) bool { return m < 5 || m >= 50 }, func(m int) bool { return m < 52 }, []string{"1 begins", "54 ends"}},
		{"begins and ends meanwhile", func(m int) bool { return m >= 5 }, func(m int) bool { return m < 3 }, nil},
		{"ended long ago", func(m int) bool { return m < 5 || m >= 40 }, func(m int) bool { return m < 6 }, []string{"1 begins"}},
	} {
		var tracker Tracker
		var got []string
		for m := range 60 {
			s := Situation{Now: evening.Add(time.Duration(m) * time.Minute), SessionsKnown: true}
			if c.lasts(m) {
				s.Common = provider(6)
			}
			for _, e := range tracker.Update(rules, s, func(Rule) bool { return c.may(m) }) {
				word := " begins"
				if e.Over {
					word = " ends"
				}
				got = append(got, strconv.Itoa(m)+word)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
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
					t.Errorf("%s, %+v: got %q, %q; want texts without gaps and line breaks", lang, e, m.Title, m.Text)
				}
			}
		}
		if m := Test(b, evening, ""); strings.Contains(m.Title+m.Text, "‹") {
			t.Errorf("%s: got %+v, want a text without gaps", lang, m)
		}
	}
	// The day is that of the town's time zone.
	for _, c := range []struct {
		lang   phrase.Lang
		before time.Duration
		want   string
	}{
		{phrase.EN, 0, "Rat, 18:00: 5 of 60 are not ready"},
		{phrase.DE, 18 * time.Hour, "Rat, 18:00 Uhr: 5 von 60 sind nicht bereit"},
		{phrase.EN, 18*time.Hour + time.Second, "Rat, 1 Dec 2026, 18:00: 5 of 60 are not ready"},
		{phrase.DE, 7 * 24 * time.Hour, "Rat, 01.12.2026, 18:00 Uhr: 5 von 60 sind nicht bereit"},
		{phrase.DE, -6 * time.Hour, "Rat, 01.12.2026, 18:00 Uhr: 5 von 60 sind nicht bereit"},
	} {
		e := Event{Rule: Rule{When: ManyRed}, Session: Session{Council: "Rat", Starts: evening, Red: 5, Members: 60}}
		if m := Write(books[c.lang], e, time.FixedZone("", 3600), evening.Add(-c.before), ""); m.Title != c.want {
			t.Errorf("%s, %v before: got %q, want %q", c.lang, c.before, m.Title, c.want)
		}
	}
}
