package resident

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

var noon = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

func at(start time.Time, hours int) wire.Session {
	s := wire.Session{StartsAt: start, Target: "Rat", Profile: "bbb"}
	if hours > 0 {
		end := start.Add(time.Duration(hours) * time.Hour)
		s.EndsAt = &end
	}
	return s
}

// before returns a plan and a history with a check one minute ago.
func before(now time.Time) (Plan, History) {
	return Plan{Interval: 15 * time.Minute, Started: now.Add(-time.Hour), Draw: 0.5, Seed: 7},
		History{}.With(Made{At: now.Add(-time.Minute), Kind: Full})
}

func TestNextCheck(t *testing.T) {
	evening := noon.Add(6 * time.Hour)
	session := at(evening, 3)
	for name, c := range map[string]struct {
		now      time.Time
		sessions []wire.Session
		change   func(*Plan, *History)
		kind     Kind
		from, to time.Duration // after now
		full     bool          // for the session at 18:00
	}{
		"interval":                  {now: noon, kind: Small, from: 14 * time.Minute, to: 14 * time.Minute},
		"long after sleep":          {now: noon, kind: Small, change: func(_ *Plan, h *History) { h.Runs[0].At = noon.Add(-9 * time.Hour) }},
		"clock was ahead":           {now: noon, kind: Small, change: func(_ *Plan, h *History) { h.Runs[0].At = noon.AddDate(5, 0, 0) }},
		"clock was ahead at start":  {now: noon, kind: Small, from: 14 * time.Minute, to: 14 * time.Minute, change: func(p *Plan, _ *History) { p.Started = noon.AddDate(5, 0, 0) }},
		"first check":               {now: noon, kind: Full, from: 5 * time.Second, to: 5 * time.Second, change: func(p *Plan, h *History) { *h, p.Started, p.First = History{}, noon, 5*time.Second }},
		"first check failed":        {now: noon, kind: Full, from: 4 * time.Minute, to: 4 * time.Minute, change: func(_ *Plan, h *History) { h.Runs[0].Failed = true }},
		"failed, long interval":     {now: noon, kind: Full, from: 4 * time.Minute, to: 4 * time.Minute, change: func(p *Plan, h *History) { p.Interval, h.Runs[0].Failed = 24*time.Hour, true }},
		"failed, short interval":    {now: noon, kind: Full, from: time.Minute, to: time.Minute, change: func(p *Plan, h *History) { p.Interval, h.Runs[0].Failed = 2*time.Minute, true }},
		"hours before a session":    {now: noon, sessions: []wire.Session{session}, kind: Small, from: 14 * time.Minute, to: 14 * time.Minute},
		"metered":                   {now: noon, kind: Small, from: 59 * time.Minute, to: 59 * time.Minute, change: func(p *Plan, _ *History) { p.Sparing = true }},
		"metered, first check":      {now: noon, kind: Small, from: 5 * time.Second, to: 5 * time.Second, change: func(p *Plan, h *History) { *h, p.Started, p.First, p.Sparing = History{}, noon, 5*time.Second, true }},
		"metered, before a session": {now: evening.Add(-time.Hour), sessions: []wire.Session{session}, change: func(p *Plan, _ *History) { p.Interval, p.Sparing = 24*time.Hour, true }, kind: Full, from: 0, to: 40 * time.Minute, full: true},
		"before a session":          {now: evening.Add(-time.Hour), sessions: []wire.Session{session}, change: func(p *Plan, _ *History) { p.Interval = 24 * time.Hour }, kind: Full, from: 0, to: 40 * time.Minute, full: true},
		"woken shortly before":      {now: evening.Add(-5 * time.Minute), sessions: []wire.Session{session}, kind: Full, full: true},
		"woken too late":            {now: evening.Add(-30 * time.Second), sessions: []wire.Session{session}, kind: Small, from: 3*time.Hour + 30*time.Second, to: 3*time.Hour + 6*time.Minute},
		"during the session":        {now: evening.Add(time.Hour), sessions: []wire.Session{session}, kind: Small, from: 2 * time.Hour, to: 2*time.Hour + 5*time.Minute},
		"during one without an end": {now: evening.Add(time.Hour), sessions: []wire.Session{at(evening, 0)}, kind: Small, from: 5 * time.Hour, to: 5*time.Hour + 5*time.Minute},
		"during one of ten days":    {now: evening.Add(time.Hour), sessions: []wire.Session{at(evening, 240)}, kind: Small, from: 23 * time.Hour, to: 23*time.Hour + 5*time.Minute},
		"two in a row":              {now: evening.Add(time.Hour), sessions: []wire.Session{session, at(evening.Add(3*time.Hour), 2)}, kind: Small, from: 4 * time.Hour, to: 4*time.Hour + 5*time.Minute},
		"the next after a pause":    {now: evening.Add(time.Hour), sessions: []wire.Session{session, at(evening.Add(3*time.Hour+10*time.Minute), 2)}, kind: Full, from: 2 * time.Hour, to: 2 * time.Hour},
		"was checked":               {now: evening.Add(-20 * time.Minute), sessions: []wire.Session{session}, kind: Small, from: 3*time.Hour + 20*time.Minute, to: 3*time.Hour + 25*time.Minute, change: func(_ *Plan, h *History) { h.Runs[0].Session = evening }},
		"failed a minute ago":       {now: evening.Add(-15 * time.Minute), sessions: []wire.Session{session}, kind: Full, full: true, from: 4 * time.Minute, to: 4 * time.Minute, change: func(_ *Plan, h *History) { h.Runs[0].Session, h.Runs[0].Failed = evening, true }},
		"moved after its check":     {now: evening.Add(-20 * time.Minute), sessions: []wire.Session{session}, kind: Full, full: true, change: func(_ *Plan, h *History) { h.Runs[0].Session = evening.Add(-time.Hour) }},
		"interval ends in the silence": {now: evening.Add(-16 * time.Minute), sessions: []wire.Session{session}, kind: Small, from: 3*time.Hour + 16*time.Minute, to: 3*time.Hour + 21*time.Minute,
			change: func(p *Plan, h *History) { h.Runs[0].Session, p.Draw = evening, 0.6 }},
	} {
		p, h := before(c.now)
		if c.change != nil {
			c.change(&p, &h)
		}
		got := p.Next(c.now, c.sessions, h)
		wait := got.At.Sub(c.now)
		if got.Kind != c.kind || wait < c.from || wait > c.to {
			t.Errorf("%s: got a %s check in %v, want %s in %v to %v", name, got.Kind, wait, c.kind, c.from, c.to)
		}
		if full := got.Session != nil && got.Session.StartsAt.Equal(evening); full != c.full {
			t.Errorf("%s: got session %+v, want the session at 18:00: %t", name, got.Session, c.full)
		}
	}
}

// TestChecksBeforeASessionAreSpread: the computers of a council do not measure at once.
func TestChecksBeforeASessionAreSpread(t *testing.T) {
	session := at(noon.Add(6*time.Hour), 3)
	var perQuarter [4]int
	for seed := range uint64(400) {
		p, h := before(noon.Add(5 * time.Hour))
		p.Seed, p.Interval = seed, 24*time.Hour
		got := p.Next(noon.Add(5*time.Hour), []wire.Session{session}, h)
		ahead := session.StartsAt.Sub(got.At)
		if got.Session == nil || ahead < latestFull || ahead > earliestFull {
			t.Fatalf("seed %d: got %+v, %v before the start; want Session set, %v to %v", seed, got, ahead, latestFull, earliestFull)
		}
		perQuarter[min(3, int((earliestFull-ahead)/(10*time.Minute)))]++
	}
	for i, n := range perQuarter {
		if n < 60 || n > 140 {
			t.Errorf("got %d of 400 checks in quarter %d of the time before the session, want about 100", n, i)
		}
	}
}

// month simulates 30 days of one computer, which sleeps, is restarted, and whose clock jumps.
type month struct {
	random   *rand.Rand
	plan     Plan
	history  History
	sessions []wire.Session
	// chance counts the minutes in which a check before a session could still have been made.
	chance map[int64]int
	runs   []Made
}

func newMonth(seed uint64) *month {
	m := &month{random: rand.New(rand.NewPCG(seed, 1)), chance: map[int64]int{}}
	m.plan = Plan{Interval: time.Duration(1+m.random.IntN(30)) * time.Minute, Started: noon, First: time.Second, Draw: 0.5, Seed: seed}
	for d := range 30 {
		for range m.random.IntN(3) {
			start := noon.AddDate(0, 0, d).Add(time.Duration(m.random.IntN(24*60)) * time.Minute)
			m.sessions = append(m.sessions, at(start, m.random.IntN(5)))
		}
	}
	return m
}

func (m *month) running(now time.Time) bool {
	for _, s := range m.sessions {
		if !now.Before(s.StartsAt) && now.Before(s.Closes()) {
			return true
		}
	}
	return false
}

// announced returns the sessions in the form in which the collector announces them.
func (m *month) announced(now time.Time) (list []wire.Session) {
	for _, s := range m.sessions {
		if s.Closes().After(now) && s.StartsAt.Before(now.AddDate(0, 0, 14)) {
			list = append(list, s)
		}
	}
	return list
}

func (m *month) fullsOfTheDay(now time.Time) (n int) {
	for _, r := range m.runs {
		if !r.Session.IsZero() && now.Sub(r.At) < 25*time.Hour {
			n++
		}
	}
	return n
}

func (m *month) live(t *testing.T) {
	for now := noon; now.Before(noon.AddDate(0, 0, 30)); {
		next := m.plan.Next(now, m.announced(now), m.history)
		if m.random.IntN(300) == 0 { // asleep
			now = now.Add(time.Duration(m.random.IntN(16*60)) * time.Minute)
			continue
		}
		if m.random.IntN(2000) == 0 { // restarted
			b, err := json.Marshal(m.history)
			if err != nil {
				t.Fatal(err)
			}
			m.history = History{}
			if err := json.Unmarshal(b, &m.history); err != nil {
				t.Fatal(err)
			}
			m.plan.Started = now
		}
		for _, s := range m.sessions {
			if left := s.StartsAt.Sub(now); left >= 2*lastMoment && left <= latestFull && !m.running(now) {
				m.chance[s.StartsAt.Unix()]++
			}
		}
		if wait := next.At.Sub(now); wait > 0 {
			now = now.Add(min(wait, lookAgain))
			continue
		}
		if m.running(now) {
			t.Fatalf("a %s check at %v, during a session", next.Kind, now)
		}
		now = now.Add(time.Duration(5+m.random.IntN(15)) * time.Second)
		r := Made{At: now, Kind: next.Kind}
		if next.Session != nil {
			r.Session = next.Session.StartsAt
		}
		m.runs = append(m.runs, r)
		m.history, m.plan.Draw = m.history.With(r), m.random.Float64()
	}
}

// TestAMonth: in all circumstances, a computer makes no checks during sessions, one check before each
// of them if it is awake, and keeps the daily limits.
func TestAMonth(t *testing.T) {
	need.Full(t, "simulates months")
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			m := newMonth(seed)
			m.live(t)
			times := map[int64]int{}
			for i, r := range m.runs {
				if !r.Session.IsZero() {
					times[r.Session.Unix()]++
				}
				var bytes int64
				fulls := 0
				for _, o := range m.runs[max(0, i-300) : i+1] {
					if r.At.Sub(o.At) >= day-time.Minute {
						continue
					}
					if o.Session.IsZero() {
						bytes += bytesOf(o.Kind)
					} else {
						fulls++
					}
				}
				if bytes > DayBytes || fulls > FullPerDay {
					t.Fatalf("%v: got %d bytes and %d full checks in a day, want at most %d and %d", r.At, bytes, fulls, int64(DayBytes), FullPerDay)
				}
			}
			for _, s := range m.sessions {
				made, possible := times[s.StartsAt.Unix()], m.chance[s.StartsAt.Unix()] > 1 && m.fullsOfTheDay(s.StartsAt) < FullPerDay
				if possible && made == 0 && s.StartsAt.Before(noon.AddDate(0, 0, 30)) && s.StartsAt.After(noon.Add(time.Hour)) {
					t.Errorf("session at %v: got no check in %d possible minutes, want one", s.StartsAt, m.chance[s.StartsAt.Unix()])
				}
				if made > 1 {
					t.Errorf("session at %v: got %d checks, want one", s.StartsAt, made)
				}
			}
			if len(m.runs) < 100 {
				t.Errorf("got only %d checks in a month, want at least 100", len(m.runs))
			}
		})
	}
}

// TestClockJumps: a clock that jumps forward and is set back causes neither a burst of checks nor
// a standstill.
func TestClockJumps(t *testing.T) {
	p, h := before(noon)
	now := noon
	runs := 0
	jumps := []time.Duration{5 * 365 * day, -10 * 365 * day, 5 * 365 * day, time.Hour, -time.Hour}
	for i := range 5 * 24 * 60 {
		if i%(24*60) == 60 {
			now = now.Add(jumps[i/(24*60)])
		}
		if next := p.Next(now, nil, h); !next.At.After(now) {
			h = h.With(Made{At: now, Kind: next.Kind})
			runs++
		}
		now = now.Add(time.Minute)
	}
	if want := 5 * 24 * 4; runs < want-20 || runs > want+20 {
		t.Errorf("got %d checks in 5 days, want about %d", runs, want)
	}
}
