// Package recorder keeps the last minutes of the computer's state on disk, like the
// flight recorder of an aircraft, and the events that the watchers and the system
// recorded. After an event that may have affected a conference, it makes a report of the
// records around the event.
package recorder

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/agent/watch"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/network/linkstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Incident is what a report of an event contains.
type Incident struct {
	// ReportID is the id of the report, which remains the same if the report is made again.
	ReportID string
	// Event is what happened.
	Event report.HostEvent
	// Crash contains all events of the last hours, History the samples around the event.
	Crash   *report.HostCrash
	History *report.HostHistory
}

// Recorder records. Its fields are set before Run.
type Recorder struct {
	// Data is the agent's data folder.
	Data  string
	Board *watch.Board
	Clock probe.Clock
	// Watchers run as long as the recorder.
	Watchers []watch.Watcher
	// Ask sends one small packet and waits for the answer.
	Ask func(ctx context.Context, to netip.Addr) (time.Duration, error)
	// Server returns the address of the collector; an invalid one if there is none, or
	// its name cannot be resolved.
	Server func(ctx context.Context) netip.Addr
	// InSession reports whether a session that the collector announced is in progress; nil
	// means that none are known.
	InSession func(now time.Time) bool
	// Crashes reads the system's own records.
	Crashes func(ctx context.Context, since, now time.Time) *report.HostCrash
	// Booted returns when the computer was started; zero if unknown.
	Booted func() time.Time
	// NewID returns the id of a new report.
	NewID func(now time.Time) (string, error)
	// Send makes a report of an incident, unless there is one with the same id.
	Send func(ctx context.Context, i Incident) error
	Log  *slog.Logger

	store            *store
	recent           []Sample // including those not yet on disk
	outages          outages
	gateway          target
	server           target
	link             linkstate.State // of the last sample
	unsettled        time.Time       // when link changed, or an answer was missing
	events           eventLog
	limit            limiter
	pending          *report.HostEvent // of the next report
	reportID         string            // of the next report; "" before the first attempt
	tried            bool              // an earlier run began to make it
	allowed          bool              // by limit
	next             *report.HostEvent // that occurred while the report of pending was stuck
	waiting          waiting           // pending and next on disk
	due              time.Time
	flushed          time.Time
	incoming         chan report.HostEvent
	evidenceRequests chan time.Duration // requests to read the system's records after a wait
}

const (
	// afterwards is how long a report is delayed, so that it covers what follows the
	// event.
	afterwards = 45 * time.Second
	// minFlush is the shortest time between two writes because of events.
	minFlush = 20 * time.Second
	// evidenceEvery is how often the system's records are read without an event that
	// prompts it: the crash of a tab, for example, does not end its browser.
	evidenceEvery = 15 * time.Minute
	// settleEvidence is the time that a system takes to write the record of a crash.
	settleEvidence = 10 * time.Second
	// evidenceWithin limits the time to read the records, for which some systems start a
	// program.
	evidenceWithin = 30 * time.Second
	// endWithin limits the time for a report when the service stops.
	endWithin = 3 * time.Second
	// maxSince is how far back the first read of the records goes.
	maxSince = 24 * time.Hour
	// fresh is the maximum age of an event that causes a report. Older ones are only
	// recorded.
	fresh = 2 * time.Hour
)

// Run records until ctx is done.
func (r *Recorder) Run(ctx context.Context) error {
	var err error
	if r.store, err = openStore(r.Data); r.store == nil {
		return err
	} else if err != nil {
		r.Log.Warn("a part of the recorder's files is damaged", "err", err)
	}
	defer func() {
		if err := r.store.close(); err != nil {
			r.Log.Warn("the recorder could not write", "err", err)
		}
	}()
	mark, began, stopped, err := openMark(r.Data, r.Clock.Now())
	if err != nil {
		r.Log.Warn("the end of this run will not be recorded", "err", err)
	}
	r.recent, _ = Samples(r.Data)
	r.events.known, _ = Events(r.Data, r.Clock.Now().Add(-maxSince))
	r.incoming, r.evidenceRequests = make(chan report.HostEvent, 256), make(chan time.Duration, 4)
	r.limit = newLimiter(r.Clock.Now())
	r.resume()
	r.detectRestart(began, stopped)

	ctx, cancel := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer cancel()
	for _, w := range r.Watchers {
		beside.Go(guard.Logged(r.Log, func() { r.watch(ctx, w) })) // one that fails does not end the recording
	}
	since := r.lastAt(r.Clock.Now().Add(-maxSince))
	beside.Go(guard.Logged(r.Log, func() { r.readEvidence(ctx, since) }))
	err = r.record(ctx)
	if ctx.Err() != nil {
		r.sendAtEnd(ctx)
		if err := mark.remove(); err != nil {
			r.Log.Warn("this run will appear to have been killed", "err", err)
		}
	}
	return err
}

// watch keeps a watcher running.
func (r *Recorder) watch(ctx context.Context, w watch.Watcher) {
	const again = time.Minute
	for {
		err := w.Run(ctx, r.emit)
		if ctx.Err() != nil {
			return
		}
		r.Log.Warn("restarting a watcher that ended", "watcher", w.Name, "err", err)
		if r.Clock.Sleep(ctx, again) != nil {
			return
		}
	}
}

// emit does not block. It discards events if more than 256 arrive between two samples.
func (r *Recorder) emit(e report.HostEvent) {
	select {
	case r.incoming <- e:
	default:
	}
}

// lastAt returns the time of the last sample, or least if that is later.
func (r *Recorder) lastAt(least time.Time) time.Time {
	if n := len(r.recent); n > 0 && r.recent[n-1].At.After(least) {
		return r.recent[n-1].At
	}
	return least
}

// record takes samples until ctx is done.
func (r *Recorder) record(ctx context.Context) error {
	for {
		if err := r.tick(ctx); err != nil {
			return err
		}
		if err := watch.SleepUntilNext(ctx, r.Clock, r.pace()); err != nil {
			return err
		}
	}
}

// pace returns the time until the next sample. On a metered line, or while the computer saves
// power, there are fewer, except while answers are missing.
func (r *Recorder) pace() time.Duration {
	if r.troubled() || r.outages.inProgress() {
		return Every
	}
	return r.Board.View().Pace(Every)
}

// troubled reports whether answers are missing.
func (r *Recorder) troubled() bool { return r.gateway.lost > 0 || r.server.lost > 0 }

func (r *Recorder) tick(ctx context.Context) error {
	s := r.take(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.recent = append(r.recent, s)
	if len(r.recent) >= 2*keptMinutes*samplesPerSlot {
		r.recent = append(r.recent[:0], lastMinutes(r.recent)...)
	}
	// A full disk must not end the recorder: the samples in memory are still useful.
	if err := r.store.add(s); err != nil {
		r.Log.Debug("a sample was not written", "err", err)
	}
	if e, ok := r.outages.observe(s); ok {
		r.handleEvent(e)
	}
	for {
		select {
		case e := <-r.incoming:
			r.handleEvent(e)
			continue
		default:
		}
		break
	}
	r.sendPending(ctx)
	return nil
}

// take takes a sample of the present state.
func (r *Recorder) take(ctx context.Context) Sample {
	now := r.Clock.Now()
	if r.InSession != nil {
		r.Board.SetInSession(r.InSession(now))
	}
	v := r.Board.View()
	s := Sample{
		At: now.UTC(), WiFiOff: v.WiFiOff, CPUPct: v.CPUPct, MemoryFreeMB: v.MemoryFreeMB,
		Muted: v.Muted, InUse: v.InUse, Programs: v.Programs,
	}
	if v.Linked {
		s.Link, s.SignalDBM = "none", nil
		if v.Link.Connected {
			s.Link, s.SignalDBM = v.Link.Kind, v.Link.SignalDBM
		}
	}
	r.noteUnsettled(v.Link, now)
	if !v.Link.Connected {
		r.gateway.lost, r.server.lost = 0, 0
		return s
	}
	r.gateway.at(v.Link.Gateway)
	if r.serverDue(v, now) {
		r.server.at(r.Server(ctx))
		r.server.asked = now
	}
	var asking guard.Group
	asking.Go(func() { s.Gateway = r.gateway.ask(ctx, r.Ask) })
	if r.server.asked.Equal(now) {
		s.Server = r.server.ask(ctx, r.Ask)
	}
	asking.Wait()
	return s
}

// handleEvent processes an event from any source.
func (r *Recorder) handleEvent(e report.HostEvent) {
	e.At = e.At.UTC().Truncate(time.Second)
	if !e.Valid() {
		r.Log.Debug("an event has the wrong form", "kind", e.Kind)
		return
	}
	e, isNew, better := r.events.add(e)
	if !isNew && !better {
		return
	}
	if err := r.store.addEvent(e); err != nil {
		r.Log.Debug("an event was not written", "err", err)
	}
	r.Log.Info("event", "kind", e.Kind, "program", e.Program, "detail", e.Detail)
	now := r.Clock.Now()
	if now.Sub(r.flushed).Abs() >= minFlush {
		r.flushed = now
		if err := r.store.flush(); err != nil {
			r.Log.Debug("the samples were not written", "err", err)
		}
	}
	if e.Kind == report.EventClientEnded || e.Kind == report.EventWiFiDropped {
		r.requestEvidence(settleEvidence)
	}
	// A microphone that was put away may return during a conference.
	running := isNew && r.inConference(e.At)
	if isReportable(e, running) && now.Sub(e.At) <= fresh && !r.events.reported(e) {
		r.plan(e, now)
	}
}

// inConference reports whether a conference may have been in progress at a recent time. A browser
// runs without one, too, unless it uses the microphone or the collector announced a session. If it
// is unknown whether a program uses the microphone, each program counts.
func (r *Recorder) inConference(at time.Time) bool {
	v := r.Board.View()
	inUse, programs := v.InUse, v.Programs
	for _, s := range slices.Backward(r.recent) {
		// The sample before: once the microphone is unplugged, nothing uses it.
		if before := at.Sub(s.At); before >= 0 {
			if before <= maxGap {
				inUse, programs = s.InUse, s.Programs
			}
			break
		}
	}
	return len(programs) > 0 && (inUse == nil || *inUse || v.InSession)
}

// requestEvidence requests to read the system's records. It does nothing if enough requests are
// waiting.
func (r *Recorder) requestEvidence(after time.Duration) {
	select {
	case r.evidenceRequests <- after:
	default:
	}
}

// readEvidence reads the system's records: at the start, from time to time, and when a
// program has ended.
func (r *Recorder) readEvidence(ctx context.Context, since time.Time) {
	wait := time.Duration(0)
	for {
		if r.Clock.Sleep(ctx, wait) != nil {
			return
		}
		now := r.Clock.Now()
		// Some records are written late, so the periods of two reads overlap.
		read, cancel := context.WithTimeout(ctx, evidenceWithin)
		found := r.Crashes(read, since.Add(-time.Minute), now)
		cancel()
		for _, e := range found.Events {
			r.emit(e)
		}
		since = now.Add(-evidenceEvery)
		timer, stop := context.WithTimeout(ctx, evidenceEvery)
		select {
		case wait = <-r.evidenceRequests:
		case <-timer.Done():
			wait = 0
		}
		stop()
	}
}

// detectRestart emits an event if the service or the computer was restarted, which it
// finds by comparing the last sample of the previous run with the start of the computer.
// A run that was killed within its first minute has written no sample; its beginning, which
// is zero if it is unknown, takes the place of one.
func (r *Recorder) detectRestart(began time.Time, stopped bool) {
	now := r.Clock.Now()
	last := r.lastAt(began)
	if last.IsZero() || now.Before(last) || now.Sub(last) > maxSince {
		return
	}
	e := report.HostEvent{At: now, Kind: report.EventServiceRestarted, DurationS: new(now.Sub(last).Seconds())}
	booted := r.Booted()
	switch {
	case booted.After(last) && !booted.After(now):
		e.At, e.Kind = booted, report.EventRestarted
		e.DurationS = new(booted.Sub(last).Seconds())
		if !stopped {
			// The service did not stop on request. The system's records may contain the reason.
			e.Kind, e.DurationS = report.EventUnexpectedShutdown, nil
		}
	case stopped:
		return // the service was stopped and started again deliberately
	}
	r.handleEvent(e)
}
