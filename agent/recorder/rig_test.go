package recorder

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/agent/watch"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/linkstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

var (
	router = netip.MustParseAddr("192.0.2.1")
	server = netip.MustParseAddr("198.51.100.1")
)

// rig is a computer whose state a test sets.
type rig struct {
	*Recorder
	view   watch.View
	mu     sync.Mutex // of the next two
	silent map[netip.Addr]bool
	crash  []report.HostEvent
	booted time.Time
	sent   []Incident
	asked  atomic.Int64 // packets to the collector
}

func newRig(data string) *rig {
	r := &rig{silent: map[netip.Addr]bool{}, view: watch.View{
		Linked: true, Link: linkstate.State{Connected: true, Kind: "wifi", Gateway: router}, Programs: []string{"Zoom"},
		CPUPct: new(3.0), MemoryFreeMB: new(4000.0), InUse: new(false),
	}}
	r.Recorder = &Recorder{
		Data: data, Board: &watch.Board{}, Clock: probe.SystemClock{}, Log: slog.New(slog.DiscardHandler),
		Ask: func(ctx context.Context, to netip.Addr) (time.Duration, error) {
			if to == server {
				r.asked.Add(1)
			}
			if r.isSilent(to) {
				<-ctx.Done()
				return 0, linkstate.ErrSilent
			}
			return 2 * time.Millisecond, nil
		},
		Server: func(context.Context) netip.Addr { return server },
		Booted: func() time.Time { return r.booted },
		Crashes: func(_ context.Context, since, now time.Time) *report.HostCrash {
			r.mu.Lock()
			defer r.mu.Unlock()
			c := &report.HostCrash{}
			for _, e := range r.crash {
				if !e.At.Before(since) && !e.At.After(now) {
					c.Events = append(c.Events, e)
				}
			}
			return c
		},
		NewID: func(now time.Time) (string, error) { return report.NewID(now, rand.Reader) },
		Send:  func(_ context.Context, i Incident) error { r.sent = append(r.sent, i); return nil },
	}
	r.Watchers = []watch.Watcher{{Name: "the rig", Run: func(ctx context.Context, _ watch.Emit) error {
		<-ctx.Done()
		return ctx.Err()
	}}}
	return r
}

func (r *rig) isSilent(to netip.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.silent[to]
}

func (r *rig) silence(silent bool, all ...netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range all {
		r.silent[a] = silent
	}
}

func (r *rig) records(e report.HostEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.crash = append(r.crash, e)
}

// during runs the recorder while do lets time pass, and then stops it cleanly.
func (r *rig) during(t *testing.T, do func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	r.Board.Set(r.view)
	go func() {
		defer close(done) // also if a test ends Run as a kill would
		done <- r.Run(ctx)
	}()
	do()
	cancel()
	if err := <-done; ctx.Err() == nil {
		t.Error(err)
	}
}

// with lets time pass in a given state.
func (r *rig) with(d time.Duration, change func(*watch.View)) {
	if change != nil {
		v := r.view
		change(&v)
		r.Board.Set(v)
		defer r.Board.Set(r.view)
	}
	time.Sleep(d)
	synctest.Wait()
}

// unplugs pulls the microphone out while programs run, and plugs it in again after another
// program has used a microphone.
func (r *rig) unplugs(away time.Duration, inUse *bool, programs ...string) {
	r.with(time.Minute, func(v *watch.View) { v.InUse, v.Programs = inUse, programs })
	at := time.Now()
	r.emit(report.HostEvent{At: at, Kind: report.EventDeviceUnplugged})
	r.with(2*time.Minute, func(v *watch.View) { v.InUse, v.Programs = inUse, programs })
	r.with(away, func(v *watch.View) { v.InUse = new(true) })
	r.emit(report.HostEvent{At: at, Kind: report.EventDeviceUnplugged, DurationS: new(time.Since(at).Seconds())})
	r.with(2*time.Minute, nil)
}

func kinds(events []report.HostEvent) string {
	var all []string
	for _, e := range events {
		all = append(all, strings.TrimSpace(string(e.Kind)+" "+e.Program))
	}
	return strings.Join(all, ", ")
}
