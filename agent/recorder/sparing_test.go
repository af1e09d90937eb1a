package recorder

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/agent/watch"
	"github.com/tonprobe/tonprobe/probe/network/linkstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestSparing: on a metered line, and while the computer saves power, there are fewer samples and
// packets, except in a session, while a program uses the microphone, and while the connection is
// away.
func TestSparing(t *testing.T) {
	metered := func(v *watch.View) { v.Metered = new(true) }
	for name, c := range map[string]struct {
		state           func(*watch.View)
		session         bool
		samples, server int // in ten minutes
	}{
		"usual":          {samples: 300, server: 20},
		"not metered":    {state: func(v *watch.View) { v.Metered, v.Saving = new(false), new(false) }, samples: 300, server: 20},
		"metered":        {state: metered, samples: 60, server: 2},
		"saving":         {state: func(v *watch.View) { v.Saving = new(true) }, samples: 60, server: 2},
		"in a session":   {state: metered, session: true, samples: 300, server: 20},
		"microphone":     {state: func(v *watch.View) { metered(v); v.InUse = new(true) }, samples: 300, server: 300},
		"without a link": {state: func(v *watch.View) { metered(v); v.Link = linkstate.State{} }, samples: 300},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t.TempDir())
				r.InSession = func(time.Time) bool { return c.session }
				if c.state != nil {
					c.state(&r.view)
				}
				r.during(t, func() { r.with(10*time.Minute, nil) })
				samples, err := Samples(r.Data)
				if err != nil {
					t.Fatal(err)
				}
				if n := len(samples); n < c.samples-1 || n > c.samples+1 {
					t.Errorf("got %d samples, want %d", n, c.samples)
				}
				if n := int(r.asked.Load()); n < c.server-1 || n > c.server+1 {
					t.Errorf("got %d packets to the collector, want %d", n, c.server)
				}
			})
		})
	}
}

// TestPacketsToTheCollector: they are rare on a line that has not changed for ten minutes, and frequent
// when they are needed.
func TestPacketsToTheCollector(t *testing.T) {
	var inSession atomic.Bool
	session := func(*rig) { inSession.Store(true) }
	for name, c := range map[string]struct {
		from func(*rig)
		to   func(*watch.View)
		want int // in ten minutes
	}{
		"unchanged":                        {want: 5},
		"the microphone is used":           {to: func(v *watch.View) { v.InUse = new(true) }, want: 300},
		"a session with a program":         {from: session, want: 300},
		"a session without a program":      {from: session, to: func(v *watch.View) { v.Programs = nil }, want: 20},
		"another connection":               {to: func(v *watch.View) { v.Link.Kind = "ethernet" }, want: 20},
		"a crash, whose report is awaited": {from: crashesNow, want: 5 + int(afterwards/Every)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t.TempDir())
				inSession.Store(false)
				r.InSession = func(time.Time) bool { return inSession.Load() }
				r.during(t, func() {
					r.with(quietAfter+5*time.Minute, nil)
					before := r.asked.Load()
					if c.from != nil {
						c.from(r)
					}
					r.with(10*time.Minute, c.to)
					if n := int(r.asked.Load() - before); n < c.want-2 || n > c.want+2 {
						t.Errorf("got %d packets, want %d", n, c.want)
					}
				})
			})
		})
	}
}

func crashesNow(r *rig) {
	r.emit(report.HostEvent{At: time.Now(), Kind: report.EventClientCrashed, Program: "Zoom"})
}

// TestSparingSurvivesAPowerFailure: with fewer samples, too, at most a minute is lost.
func TestSparingSurvivesAPowerFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t.TempDir())
		r.view.Saving = new(true)
		r.during(t, func() {
			r.with(10*time.Minute+30*time.Second, nil)
			samples, err := Samples(r.Data)
			if err != nil || len(samples) == 0 {
				t.Fatalf("got %d samples, error %v; want some", len(samples), err)
			}
			if lost := time.Since(samples[len(samples)-1].At); lost > time.Minute+sparingEvery {
				t.Errorf("the samples of the last %v are not on disk, want at most a minute", lost)
			}
		})
	})
}

const sparingEvery = 10 * time.Second
