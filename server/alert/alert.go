// Package alert sends messages about what requires attention to people who do not have the dashboard
// open: a common cause, many members who are not ready before a session, a fault of the collector
// itself. Rules and channels are data (Settings); secrets are in files.
package alert

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

// Condition is what triggers a rule.
type Condition string

// The conditions.
const (
	CommonCause Condition = "common_cause" // several participants share a fault
	ManyRed     Condition = "many_red"     // many members of a council are not ready for a session
	Collector   Condition = "collector"    // a part of the collector does not work
)

// Rule defines when a message is sent, and to which channels.
type Rule struct {
	Name string    `toml:"name"`
	When Condition `toml:"when"`
	// Hold is how long the condition must last.
	Hold Duration `toml:"hold"`
	// Before restricts the rule to this time before a session, and to the session itself; 0 for at
	// any time.
	Before Duration `toml:"before"`
	// AtLeast is the number of members for ManyRed.
	AtLeast int `toml:"at_least"`
	// To are the names of channels.
	To []string `toml:"to"`
}

// Duration is a time.Duration as a text such as "90m".
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil || v < 0 || v > 7*24*time.Hour {
		return fmt.Errorf("%.40q is not a time from 0s to 168h, such as 90m", b)
	}
	*d = Duration(v)
	return nil
}

// Situation is the input of the rules.
type Situation struct {
	Now      time.Time
	Sessions []Session // present and future ones, without cancelled ones
	// SessionsKnown is false if the sessions could not be read completely.
	SessionsKnown bool
	Common        []Common
	Failed        []string // parts of the collector that do not work
}

// Session is a session of a council.
type Session struct {
	ID, Council    string
	Starts, Closes time.Time
	Red, Members   int
}

// Common is a common cause.
type Common struct {
	Kind, Key         string // kind: server, own, provider, site or version
	Affected, Members int
}

// near reports whether a session begins soon enough, or has begun.
func (r Rule) near(s Session, now time.Time) bool {
	return !now.Before(s.Starts.Add(-time.Duration(r.Before))) && now.Before(s.Closes)
}

// covers reports whether a rule about sessions applies to a session now.
func (r Rule) covers(s Session, now time.Time) bool {
	return r.Before == 0 && now.Before(s.Closes) || r.near(s, now)
}

// undecided reports whether a rule cannot be evaluated because the sessions are not known. The reason
// may be a fault of the collector, so a rule about such faults can always be evaluated.
func (r Rule) undecided(s Situation) bool {
	return !s.SessionsKnown && (r.When == ManyRed || r.When == CommonCause && r.Before > 0)
}

// active returns the events of a rule in a situation. The key of an event identifies it within its rule.
func (r Rule) active(s Situation) []Event {
	if r.undecided(s) || r.When != ManyRed && r.Before > 0 && s.SessionsKnown &&
		!slices.ContainsFunc(s.Sessions, func(n Session) bool { return r.near(n, s.Now) }) {
		return nil
	}
	var found []Event
	switch r.When {
	case CommonCause:
		for _, c := range s.Common {
			found = append(found, Event{Key: c.Kind + " " + c.Key, Common: c})
		}
	case ManyRed:
		for _, n := range s.Sessions {
			if n.Red >= r.AtLeast && r.covers(n, s.Now) {
				found = append(found, Event{Key: n.ID, Session: n})
			}
		}
	case Collector:
		for _, part := range s.Failed {
			found = append(found, Event{Key: part, Part: part})
		}
	}
	for i := range found {
		found[i].Rule = r
	}
	return found
}

// Event is a condition that a rule has found, or its end.
type Event struct {
	Rule    Rule
	Key     string // with the rule, identifies it
	Since   time.Time
	Over    bool
	Common  Common
	Session Session
	Part    string
}

// ended reports whether a condition has ended, rather than that its rule no longer applies because a
// session has closed, was moved or was cancelled.
func (e Event) ended(s Situation) bool {
	switch e.Rule.When {
	case CommonCause:
		return !slices.ContainsFunc(s.Common, func(c Common) bool { return c.Kind == e.Common.Kind && c.Key == e.Common.Key })
	case ManyRed:
		return slices.ContainsFunc(s.Sessions, func(n Session) bool {
			return n.ID == e.Session.ID && n.Starts.Equal(e.Session.Starts) && e.Rule.covers(n, s.Now) && n.Red < e.Rule.AtLeast
		})
	}
	return !slices.Contains(s.Failed, e.Part)
}

// Conditions change repeatedly around their limits. An end is reported when it has lasted as long as the
// rule holds its beginning, within these limits.
const (
	minOverFor = 2 * time.Minute
	maxOverFor = 10 * time.Minute
)

// overFor is how long the end of an event must last.
func (r Rule) overFor() time.Duration { return min(max(time.Duration(r.Hold), minOverFor), maxOverFor) }

// repeatAfter is the time within which the same event is not reported again after the report of its end.
const repeatAfter = 15 * time.Minute

// Tracker decides which events are reported: each one once, when it has lasted long enough, and likewise
// its end. The zero Tracker is ready to use.
type Tracker struct {
	known map[string]*tracked
}

type tracked struct {
	event    Event
	seen     bool      // it is in the present situation
	reported bool      // its beginning was reported
	ended    time.Time // when its end was reported; zero while it lasts
	left     time.Time // since when it has been missing although it is reported; unknown situations restart this
	quiet    bool      // its rule has ceased to apply since then, so its end is not reported
}

// Update returns the events to report now, of the rules for which may is true. The others are reported
// as soon as may is true for their rule: a beginning if the condition still lasts then, an end within
// repeatAfter of when it was due.
func (t *Tracker) Update(rules []Rule, s Situation, may func(Rule) bool) []Event {
	if t.known == nil {
		t.known = map[string]*tracked{}
	}
	for _, k := range t.known {
		k.seen = false
	}
	var due []Event
	for _, r := range rules {
		for _, e := range r.active(s) {
			id := r.Name + "\x00" + e.Key
			k := t.known[id]
			if k == nil || !k.ended.IsZero() && s.Now.Sub(k.ended) >= repeatAfter {
				k = &tracked{}
				k.event.Since = s.Now
				t.known[id] = k
			}
			e.Since = k.event.Since
			k.event, k.seen, k.left, k.quiet = e, true, time.Time{}, false
			if !k.reported && k.ended.IsZero() && s.Now.Sub(e.Since) >= time.Duration(r.Hold) && may(r) {
				k.reported = true
				due = append(due, e)
			}
		}
	}
	for id, k := range t.known {
		switch {
		case k.seen:
		case k.event.Rule.undecided(s):
			k.left = time.Time{}
		case k.reported:
			if k.left.IsZero() {
				k.left = s.Now
			}
			k.quiet = k.quiet || !k.event.ended(s)
			missing, wait := s.Now.Sub(k.left), k.event.Rule.overFor()
			switch {
			case !k.quiet && missing >= wait && may(k.event.Rule):
				k.reported, k.ended = false, s.Now
				k.event.Over = true
				due = append(due, k.event)
			case k.quiet && missing >= repeatAfter, missing >= wait+repeatAfter:
				delete(t.known, id)
			}
		case k.ended.IsZero() || s.Now.Sub(k.ended) >= repeatAfter:
			delete(t.known, id)
		}
	}
	slices.SortFunc(due, func(a, b Event) int { return cmp.Or(cmp.Compare(a.Rule.Name, b.Rule.Name), cmp.Compare(a.Key, b.Key)) })
	return due
}

// Message is what a person reads. It contains no names of participants.
type Message struct {
	Title string
	Text  string
	Over  bool
	At    time.Time
	Rule  string
	When  Condition
	Link  string // address of the dashboard; "" if it is not known
}

// startTime returns the time of day at which a session starts, with the day if it is not today.
func startTime(lang phrase.Lang, starts, now time.Time) string {
	layout := "15:04"
	if starts.Format(time.DateOnly) != now.Format(time.DateOnly) {
		layout = "2 Jan 2006, 15:04"
		if lang == phrase.DE {
			layout = "02.01.2006, 15:04"
		}
	}
	return starts.Format(layout)
}

// Write returns the message of an event in words.
func Write(b *phrase.Book, e Event, zone *time.Location, now time.Time, link string) Message {
	m := Message{Over: e.Over, At: now, Rule: e.Rule.Name, When: e.Rule.When, Link: link}
	key := string(e.Rule.When)
	if e.Rule.When == CommonCause {
		key += "_" + e.Common.Kind
	}
	part := ""
	if e.Part != "" {
		part = b.T("part_" + e.Part)
	}
	args := []any{"key", oneLine(e.Common.Key), "affected", e.Common.Affected, "members", e.Common.Members, "part", part,
		"council", oneLine(e.Session.Council), "time", startTime(b.Lang(), e.Session.Starts.In(zone), now.In(zone)), "red", e.Session.Red, "all", e.Session.Members}
	m.Title = b.T(key, args...)
	m.Text = b.T(key+"_text", args...)
	if e.Over {
		m.Title = b.T("over", "title", m.Title)
		m.Text = b.T("over_text")
	}
	return m
}
