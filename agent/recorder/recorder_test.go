package recorder

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
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
		Send: func(_ context.Context, i Incident) error { r.sent = append(r.sent, i); return nil },
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
	go func() { done <- r.Run(ctx) }()
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

func kinds(events []report.HostEvent) string {
	var all []string
	for _, e := range events {
		all = append(all, strings.TrimSpace(string(e.Kind)+" "+e.Program))
	}
	return strings.Join(all, ", ")
}

func TestWiFiIsLostDuringAConference(t *testing.T) {
	data := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(data)
		r.during(t, func() {
			r.with(5*time.Minute, nil)
			r.with(40*time.Second, func(v *watch.View) { v.Link = linkstate.State{} })
			r.with(2*time.Minute, nil)
		})
		if len(r.sent) != 1 {
			t.Fatalf("%d reports", len(r.sent))
		}
		i := r.sent[0]
		if i.Event.Kind != report.EventWiFiDropped || i.Event.Program != "Zoom" || *i.Event.DurationS < 38 || *i.Event.DurationS > 42 {
			t.Errorf("%+v", i.Event)
		}
		if !strings.Contains(kinds(i.Crash.Events), "wifi_dropped Zoom") || len(i.History.Minutes) < 5 || len(i.History.Seconds) < 40 {
			t.Errorf("%+v, %d minutes, %d seconds", i.Crash.Events, len(i.History.Minutes), len(i.History.Seconds))
		}
		away := 0.0
		for _, m := range i.History.Minutes {
			if m.AwayS != nil {
				away += *m.AwayS
			}
		}
		if away < 38 || away > 42 {
			t.Errorf("away for %v s", away)
		}
	})
	if events, err := Events(data, time.Time{}); err != nil || kinds(events) != "wifi_dropped Zoom" {
		t.Errorf("on disk: %+v, %v", events, err)
	}
	if samples, err := Samples(data); err != nil || len(samples) < 220 || len(samples) > 300 {
		t.Errorf("%d samples on disk: %v", len(samples), err)
	}
}

// TestObserversOfEachProblem: each problem is reported once, by the observers that detect it.
func TestObserversOfEachProblem(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*rig)
		want string // events
		sent string // of the reports
	}{
		"a quiet hour": {func(r *rig) { r.with(time.Hour, nil) }, "", ""},
		"Wi-Fi lost, nobody in a conference": {func(r *rig) {
			r.view.Programs = nil
			r.Board.Set(r.view)
			r.with(time.Minute, nil)
			r.with(time.Minute, func(v *watch.View) { v.Link = linkstate.State{} })
			r.with(2*time.Minute, nil)
		}, "wifi_dropped", ""},
		"Wi-Fi lost, also by the kernel": {func(r *rig) {
			r.with(time.Minute, nil)
			r.records(report.HostEvent{At: time.Now(), Kind: report.EventWiFiDropped, Detail: "reason_4"})
			r.with(time.Minute, func(v *watch.View) { v.Link = linkstate.State{} })
			r.with(20*time.Minute, nil)
		}, "wifi_dropped Zoom", "wifi_dropped"},
		"a crash, then its end": {func(r *rig) {
			r.with(time.Minute, nil)
			r.records(report.HostEvent{At: time.Now(), Kind: report.EventClientCrashed, Program: "Zoom", Detail: "sigsegv"})
			r.emit(report.HostEvent{At: time.Now(), Kind: report.EventClientEnded, Program: "Zoom"})
			r.with(3*time.Minute, nil)
		}, "client_crashed Zoom, client_ended Zoom", "client_crashed"},
		"closed by the person": {func(r *rig) {
			r.with(time.Minute, nil)
			r.emit(report.HostEvent{At: time.Now(), Kind: report.EventClientEnded, Program: "Zoom"})
			r.with(20*time.Minute, nil)
		}, "client_ended Zoom", ""},
		"a hang and its end": {func(r *rig) {
			r.with(time.Minute, nil)
			at := time.Now()
			r.emit(report.HostEvent{At: at, Kind: report.EventClientHung, Program: "Zoom", Detail: "stopped"})
			r.with(20*time.Second, nil)
			r.emit(report.HostEvent{At: at, Kind: report.EventClientHung, Program: "Zoom", Detail: "stopped", DurationS: new(32.0)})
			r.with(3*time.Minute, nil)
		}, "client_hung Zoom", "client_hung"},
		"the router is silent": {func(r *rig) {
			r.with(time.Minute, nil)
			r.silence(true, router, server)
			r.with(30*time.Second, nil)
			r.silence(false, router, server)
			r.with(2*time.Minute, nil)
		}, "connection_lost Zoom", "connection_lost"},
		"only the router is silent": {func(r *rig) {
			r.with(time.Minute, nil)
			r.silence(true, router)
			r.with(30*time.Minute, nil)
		}, "", ""},
		"the collector is silent": {func(r *rig) {
			r.with(time.Minute, nil)
			r.silence(true, server)
			r.with(2*time.Minute, nil)
			r.silence(false, server)
			r.with(2*time.Minute, nil)
		}, "connection_lost Zoom", "connection_lost"},
		"an old crash": {func(r *rig) {
			r.records(report.HostEvent{At: time.Now().Add(-5 * time.Hour), Kind: report.EventClientCrashed, Program: "Zoom"})
			r.with(3*time.Minute, nil)
		}, "client_crashed Zoom", ""},
		"a foreign event": {func(r *rig) {
			r.with(time.Minute, nil)
			r.emit(report.HostEvent{At: time.Now(), Kind: "exploded", Program: "Tagebuch"})
			r.with(3*time.Minute, nil)
		}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			var r *rig
			synctest.Test(t, func(t *testing.T) {
				r = newRig(data)
				r.during(t, func() { c.do(r) })
			})
			events, err := Events(data, time.Time{})
			var sent []string
			for _, i := range r.sent {
				sent = append(sent, string(i.Event.Kind))
			}
			if got := kinds(events); got != c.want || len(events) > 0 && err != nil || strings.Join(sent, ", ") != c.sent {
				t.Errorf("events %q, want %q; reports %q, want %q; %v", got, c.want, sent, c.sent, err)
			}
		})
	}
}

// TestAWiFiThatComesAndGoes: a connection that drops repeatedly must not flood the
// collector.
func TestAWiFiThatComesAndGoes(t *testing.T) {
	data := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(data)
		r.during(t, func() {
			for range 60 {
				r.with(90*time.Second, nil)
				r.with(30*time.Second, func(v *watch.View) { v.Link = linkstate.State{} })
			}
			r.with(time.Hour, nil)
		})
		total := 0
		for _, i := range r.sent {
			if i.History.Suppressed != nil {
				total += *i.History.Suppressed
			}
		}
		if len(r.sent) < 4 || len(r.sent) > 8 || total+len(r.sent)+r.limit.suppressed != 60 {
			t.Errorf("%d reports and %d without one, %d waiting to be counted", len(r.sent), total, r.limit.suppressed)
		}
	})
}

// TestHowItBegan: the previous run was stopped cleanly or not, and the computer was
// restarted or not.
func TestHowItBegan(t *testing.T) {
	for name, c := range map[string]struct {
		killed, rebooted bool
		want             string
	}{
		"stopped":               {false, false, ""},
		"killed":                {true, false, "service_restarted"},
		"restarted":             {false, true, "restarted"},
		"off without a warning": {true, true, "unexpected_shutdown"},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				newRig(data).during(t, func() { time.Sleep(10 * time.Minute) })
				if c.killed {
					if _, _, err := openMark(data); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(time.Minute)
				r := newRig(data)
				if c.rebooted {
					r.booted = time.Now().Add(-30 * time.Second)
				}
				r.during(t, func() { time.Sleep(3 * time.Minute) })
			})
			if events, _ := Events(data, time.Time{}); kinds(events) != c.want {
				t.Errorf("%s, want %q", kinds(events), c.want)
			}
		})
	}
}

// TestNobodyAnswersPackets: the silence of a router that has never answered is not an
// outage.
func TestNobodyAnswersPackets(t *testing.T) {
	data := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(data)
		r.silence(true, router, server)
		r.during(t, func() { r.with(time.Hour, nil) })
		if len(r.sent) > 0 {
			t.Errorf("%+v", r.sent[0].Event)
		}
	})
	if events, _ := Events(data, time.Time{}); len(events) > 0 {
		t.Errorf("%+v", events)
	}
}

func TestPacketsADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t.TempDir())
		r.during(t, func() { time.Sleep(24 * time.Hour) })
		if mb := float64(2*r.asked.Load()*linkstate.PacketBytes) / 1e6; mb > 0.3 {
			t.Errorf("%.2f MB a day to the collector and back", mb)
		}
	})
}

// TestThirtyDays: memory and files do not grow, neither without events nor while the
// Wi-Fi drops every hour.
func TestThirtyDays(t *testing.T) {
	data := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(data)
		r.Send = func(context.Context, Incident) error { return nil }
		r.during(t, func() {
			var first [2]uint64
			for day := range 30 {
				for range 24 {
					r.with(59*time.Minute, nil)
					r.with(time.Minute, func(v *watch.View) { v.Link = linkstate.State{} })
				}
				if day == 2 {
					first = grown()
				}
			}
			last := grown()
			if last[0] > first[0] || last[1] > first[1]+1<<20 {
				t.Errorf("goroutines %d, then %d; heap %d, then %d bytes", first[0], last[0], first[1], last[1])
			}
		})
	})
	entries, err := os.ReadDir(filepath.Join(data, Folder))
	var size int64
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			size += info.Size()
		}
	}
	if err != nil || len(entries) != 2 || size > int64(sampleLayout.slotBytes*sampleLayout.slots+eventLayout.slotBytes*eventLayout.slots) {
		t.Errorf("%d files of %d bytes: %v", len(entries), size, err)
	}
}

// grown returns the number of goroutines and the size of the live heap.
func grown() [2]uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return [2]uint64{uint64(runtime.NumGoroutine()), m.HeapAlloc}
}

// TestAFullDisk: the recorder continues in memory, and still sends reports.
func TestAFullDisk(t *testing.T) {
	data := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(data)
		r.during(t, func() {
			r.with(time.Minute, nil)
			_ = r.store.samples.close() // every later write fails
			_ = r.store.events.close()
			r.with(30*time.Second, func(v *watch.View) { v.Link = linkstate.State{} })
			r.with(2*time.Minute, nil)
		})
		if len(r.sent) != 1 {
			t.Errorf("%d reports", len(r.sent))
		}
	})
}

func TestEventsOfAForeignFile(t *testing.T) {
	data := t.TempDir()
	ring, err := openRing(filepath.Join(data, Folder), eventLayout)
	if err != nil {
		t.Fatal(err)
	}
	for _, payload := range []string{
		`{`, `null`, `{"at":"2026-03-02T18:00:00Z","kind":"exploded"}`,
		`{"at":"2026-03-02T18:00:00Z","kind":"client_crashed","program":"tagebuch.exe"}`,
		`{"at":"2026-03-02T18:00:00Z","kind":"client_crashed","program":"Zoom","detail":"C:\\Users\\Anna"}`,
		`{"at":"2026-03-02T18:00:00Z","kind":"client_crashed","program":"Zoom","duration_s":-5}`,
		`{"at":"2026-03-02T18:00:00Z","kind":"client_crashed","program":"Zoom","detail":"sigsegv"}`,
	} {
		if err := ring.append([]byte(payload)); err != nil {
			t.Fatal(err)
		}
	}
	_ = ring.close()
	if events, err := Events(data, time.Time{}); err != nil || kinds(events) != "client_crashed Zoom" {
		t.Errorf("%+v, %v", events, err)
	}
}

func TestHistoryIsValid(t *testing.T) {
	var samples []Sample
	for i := range 2000 {
		samples = append(samples, Sample{At: begin.Add(time.Duration(i) * Every), Link: links[1+i%5], Programs: watch.Clients(),
			Gateway: Echo{Asked: true, Answered: i%3 > 0, RTT: time.Duration(i) * time.Millisecond}, SignalDBM: new(float64(-i % 100))})
	}
	h := History(samples, report.HostEvent{At: begin.Add(time.Hour), Kind: report.EventWiFiDropped}, 3)
	r := &report.Report{Probes: []report.Result{{Name: report.ProbeHostHistory, Status: report.StatusOK, StartedAt: begin, Data: h}}}
	redacted := report.Redact(r, report.Policy{})
	if d := report.Find[report.HostHistory](redacted); !reflect.DeepEqual(d, h) {
		t.Error("a history is changed by its redaction")
	}
	if len(h.Minutes) > keptMinutes+1 || len(h.Seconds) == 0 || len(h.Seconds) > maxSeconds {
		t.Errorf("%d minutes, %d seconds", len(h.Minutes), len(h.Seconds))
	}
	if doc, err := json.Marshal(h); err != nil || len(doc) > 32<<10 {
		t.Errorf("%d bytes: %v", len(doc), err)
	}
}
