// Package crash reads from the system's own records which programs crashed or hung,
// and when the machine itself crashed, slept, ran out of memory or lost its
// network.
//
// Only names, times, sizes and codes are read, never the content of a dump, an
// environment, a path or the name of a network. Programs that are not in
// report.Programs are not named.
package crash

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/report"
)

// errAbsent means that this system does not have the source.
var errAbsent = errors.New("this system keeps no such records")

// source is one kind of records.
type source struct {
	name string // as in report.HostSource
	// read returns the events since a time, in any order. It may return events
	// together with an error if only a part could be read. fs.ErrPermission and
	// errAbsent are distinguished.
	read func(ctx context.Context, since time.Time) ([]report.HostEvent, error)
	// insteadOf names a source with the same records, and with better times. If that
	// one was read, this one does not count.
	insteadOf string
}

// maxEvents is the maximum number of events in a report.
const maxEvents = 64

// Recorded returns the events since a time that an observer on this machine has recorded.
// Without an observer its error is fs.ErrNotExist.
type Recorded func(ctx context.Context, since time.Time) ([]report.HostEvent, error)

// Read returns the events on this machine between since and now: those of the system, and
// those that were recorded, if recorded is not nil.
func Read(ctx context.Context, recorded Recorded, since, now time.Time) *report.HostCrash {
	all := sources()
	if recorded != nil {
		all = append(all, source{name: "recorder", read: recorded})
	}
	return collect(ctx, all, since, now)
}

// collect reads the sources concurrently.
func collect(ctx context.Context, from []source, since, now time.Time) *report.HostCrash {
	found := &report.HostCrash{
		WindowS: new(max(0, now.Sub(since).Seconds())),
		Sources: make([]report.HostSource, len(from)),
		Events:  []report.HostEvent{},
	}
	events := make([][]report.HostEvent, len(from))
	var wg guard.Group
	for i, s := range from {
		wg.Go(func() {
			all, err := s.read(ctx, since)
			events[i] = all
			found.Sources[i] = report.HostSource{Name: s.name, State: state(err)}
		})
	}
	wg.Wait()
	for i := len(from) - 1; i >= 0; i-- {
		if slices.Contains(found.Sources, report.HostSource{Name: from[i].insteadOf, State: "read"}) {
			found.Sources, events = slices.Delete(found.Sources, i, i+1), slices.Delete(events, i, i+1)
		}
	}
	for _, e := range slices.Concat(events...) {
		// A time in the future means that the clock was set back since.
		if !e.At.Before(since) && !e.At.After(now) {
			e.At = e.At.UTC().Truncate(time.Second)
			found.Events = append(found.Events, e)
		}
	}
	found.Events = merge(found.Events)
	if over := len(found.Events) - maxEvents; over > 0 {
		found.Events = found.Events[over:]
	}
	return found
}

func state(err error) string {
	switch {
	case err == nil:
		return "read"
	case errors.Is(err, errAbsent), errors.Is(err, fs.ErrNotExist):
		return "absent"
	case errors.Is(err, fs.ErrPermission):
		return "not_permitted"
	}
	return "failed"
}

// Window is the period that a check reads.
const Window = 24 * time.Hour

// New returns the probe "host.crash". recorded may be nil.
func New(recorded Recorded) probe.Probe {
	return crashes{func(ctx context.Context, since, now time.Time) *report.HostCrash {
		return Read(ctx, recorded, since, now)
	}}
}

type crashes struct {
	read func(ctx context.Context, since, now time.Time) *report.HostCrash
}

// Name implements probe.Probe.
func (crashes) Name() string { return report.ProbeHostCrash }

// Version implements probe.Probe.
func (crashes) Version() int { return 1 }

// Run implements probe.Probe. Records that cannot be read are a state of their
// source, not an error.
func (c crashes) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	now := env.Clock.Now()
	found := c.read(ctx, now.Add(-Window), now)
	read := slices.ContainsFunc(found.Sources, func(s report.HostSource) bool { return s.State == "read" })
	if !read {
		return probe.Result{Status: report.StatusUnknown, Note: "no records of crashes can be read", Data: found}, nil
	}
	return probe.Result{Status: report.StatusOK, Data: found}, nil
}
