package live

import (
	"errors"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Time limits of a retest.
const (
	// AnswerTime is how long the request is valid.
	AnswerTime = 90 * time.Second
	// runTime limits the check after the consent. A check takes up to 15 s, or more on a slow
	// machine, and the delivery of the report may need a second attempt.
	runTime = time.Minute
	// keepFor is how long the result of a retest is shown.
	keepFor = 30 * time.Minute
)

// maxProbes limits the probes whose progress is recorded for one retest.
const maxProbes = 40

// RetestState is the state of a retest.
type RetestState string

// States of a retest.
const (
	RetestAsked     RetestState = "asked"     // waiting for the agent's answer
	RetestRunning   RetestState = "running"   // the check runs
	RetestDone      RetestState = "done"      // After is the report
	RetestRefused   RetestState = "refused"   // Why is the reason
	RetestCancelled RetestState = "cancelled" // by staff
	RetestLost      RetestState = "lost"      // no answer, or no end, in time
)

// Errors of Agents.Request.
var (
	ErrNotConnected  = errors.New("the agent is not connected")
	ErrRetestRunning = errors.New("a retest is already in progress")
)

// Retest is a check that staff has requested of an agent.
type Retest struct {
	ID      string
	AgentID string
	What    wire.RetestWhat
	By      string
	At      time.Time
	// ExpiresAt is when the request becomes invalid.
	ExpiresAt time.Time
	State     RetestState
	Why       string // one of wire.Why…, if refused
	// Before is the latest report at the time of the request, "" for none; After the new
	// one.
	Before, After string
	Probes        []ProbeStatus // in the order of their start
	Level         *Level        // nil if no sound is being recorded
}

// ProbeStatus is the progress of one probe: a status of a report, or wire.StatusRunning.
type ProbeStatus struct{ Probe, Status string }

// Level is the present level of the microphone.
type Level struct {
	RMSDBFS, PeakDBFS float64
	Speech            bool
}

// Open reports whether the retest has not ended.
func (r Retest) Open() bool { return r.State == RetestAsked || r.State == RetestRunning }

// retest is a Retest with its timer. It is protected by the mutex of Agents.
type retest struct {
	Retest
	asked *Link // the connection that answers
	moves int   // how often another collector has taken it over
	timer *time.Timer
	level time.Time // of the last level
}

// copy returns a copy that other goroutines may read.
func (r *retest) copy() *Retest {
	if r == nil {
		return nil
	}
	c := r.Retest
	c.Probes = slices.Clone(r.Probes)
	return &c
}

// take applies a message of the agent. It reports whether something has changed.
func (r *retest) take(m wire.ChannelMessage, now time.Time) bool {
	if r == nil || r.ID != m.ID || !r.Open() {
		return false // late, or from before a restart of the collector
	}
	switch m.Type {
	case wire.MessageConsent:
		if !*m.Given {
			return r.end(RetestRefused, wire.WhyDeclined)
		}
		if r.State == RetestRunning {
			return false
		}
		r.State = RetestRunning
		r.timer.Reset(runTime)
		return true
	case wire.MessageRefused:
		return r.end(RetestRefused, m.Why)
	case wire.MessageDone:
		if r.State != RetestRunning {
			return false
		}
		r.After = m.ReportID
		return r.end(RetestDone, "")
	case wire.MessageProgress:
		return r.State == RetestRunning && r.progress(ProbeStatus{m.Probe, m.Status})
	case wire.MessageLevel:
		return r.State == RetestRunning && r.What == wire.RetestFull && r.takeLevel(m, now)
	}
	return false
}

func (r *retest) end(s RetestState, why string) bool {
	r.State, r.Why, r.Level = s, why, nil
	r.timer.Reset(keepFor)
	return true
}

func (r *retest) progress(p ProbeStatus) bool {
	at := slices.IndexFunc(r.Probes, func(old ProbeStatus) bool { return old.Probe == p.Probe })
	switch {
	case at >= 0 && r.Probes[at] == p, at < 0 && len(r.Probes) >= maxProbes:
		return false
	case at >= 0:
		r.Probes[at] = p
	default:
		r.Probes = append(r.Probes, p)
	}
	return true
}

// takeLevel accepts at most five levels a second, with a tolerance for jitter.
func (r *retest) takeLevel(m wire.ChannelMessage, now time.Time) bool {
	if since := now.Sub(r.level); since >= 0 && since < wire.LevelEvery*3/4 {
		return false
	}
	r.level = now
	r.Level = &Level{RMSDBFS: *m.RMSDBFS, PeakDBFS: *m.PeakDBFS, Speech: m.Speech}
	return true
}
