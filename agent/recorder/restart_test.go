package recorder

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// TestKilledWithinTheFirstMinute: samples are written once a minute, so the previous run has left none.
func TestKilledWithinTheFirstMinute(t *testing.T) {
	for name, c := range map[string]struct {
		mark, want string // a mark of "now" is replaced by the time
		rebooted   bool
	}{
		"killed":                     {"now", "service_restarted", false},
		"off without a warning":      {"now", "unexpected_shutdown", true},
		"a mark of an older version": {"", "", false},
		"a damaged mark":             {"2026-11-29T1", "", false},
		"a mark of the future":       {"2999-01-01T00:00:00Z", "", false},
		"a mark that is not a time":  {strings.Repeat("9", 4096), "", false},
		"a mark of long ago":         {"1999-01-01T00:00:00Z", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				newRig(data).during(t, func() { time.Sleep(time.Second) })
				if _, _, _, err := openMark(data, time.Now()); err != nil {
					t.Fatal(err)
				}
				if c.mark != "now" {
					if err := os.WriteFile(filepath.Join(data, Folder, "running"), []byte(c.mark), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				for _, ring := range []string{sampleLayout.name, eventLayout.name} { // as if nothing had been written
					if err := os.Remove(filepath.Join(data, Folder, ring)); err != nil && !errors.Is(err, fs.ErrNotExist) {
						t.Fatal(err)
					}
				}
				time.Sleep(20 * time.Second)
				r := newRig(data)
				if c.rebooted {
					r.booted = time.Now().Add(-10 * time.Second)
				}
				r.during(t, func() { time.Sleep(3 * time.Minute) })
			})
			if events, err := Events(data, time.Time{}); kinds(events) != c.want {
				t.Errorf("got %q, %v, want %q", kinds(events), err, c.want)
			}
		})
	}
}

// TestReportThatWaitsAtTheEnd: a person who restarts the computer right after a crash does not prevent
// its report.
func TestReportThatWaitsAtTheEnd(t *testing.T) {
	data := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(data)
		crashed := report.HostEvent{Kind: report.EventClientCrashed, Program: "Zoom"}
		r.during(t, func() {
			r.with(time.Minute, nil)
			crashed.At = time.Now().UTC()
			r.emit(crashed)
			r.with(10*time.Second, nil)
		})
		if len(r.sent) != 1 || r.sent[0].Event.Kind != report.EventClientCrashed || len(r.sent[0].History.Seconds) == 0 {
			t.Errorf("got reports %+v, want that of the crash", r.sent)
		}
		again := newRig(data)
		again.records(crashed) // the system still has its record
		again.during(t, func() { again.with(5*time.Minute, nil) })
		if len(again.sent) != 0 {
			t.Errorf("after the restart: got reports %+v, want none", again.sent)
		}
	})
}

// TestReportThatWaitsWhenKilled: the next run makes the report that was due when the service was killed,
// once.
func TestReportThatWaitsWhenKilled(t *testing.T) {
	crashed := report.HostEvent{Kind: report.EventClientCrashed, Program: "Zoom"}
	for name, c := range map[string]struct {
		after time.Duration // until the next run
		file  string        // replaces the content of the file, if it is not empty
		want  int
		kills int // more than one
	}{
		"soon":           {20 * time.Second, "", 1, 0},
		"a second time":  {20 * time.Second, "", 0, 1},
		"too late":       {3 * time.Hour, "", 0, 0},
		"damaged":        {20 * time.Second, `{"at":"2026`, 0, 0},
		"of no kind":     {20 * time.Second, `{"at":"2026-11-30T00:00:00Z","kind":"x"}`, 0, 0},
		"far too long":   {20 * time.Second, strings.Repeat(" ", 1<<20) + "{}", 0, 0},
		"an empty file":  {20 * time.Second, " ", 0, 0},
		"of no id":       {20 * time.Second, `{"at":"2000-01-01T00:00:00Z","kind":"client_crashed","report_id":"../x"}`, 0, 0},
		"of a wrong age": {20 * time.Second, `{"at":"2999-11-30T00:00:00Z","kind":"client_crashed"}`, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				attempts, made := 0, ""
				kill := func(_ context.Context, i Incident) error {
					if attempts++; i.ReportID == "" || made != "" && i.ReportID != made {
						t.Errorf("attempt %d: got report %q, want the same as before, %q", attempts, i.ReportID, made)
					}
					made = i.ReportID
					runtime.Goexit()
					return nil
				}
				killed := newRig(data)
				killed.Send = kill
				killed.during(t, func() {
					killed.with(time.Minute, nil)
					crashed.At = time.Now().UTC()
					killed.emit(crashed)
					killed.with(10*time.Second, nil)
				})
				if c.file != "" {
					if err := os.WriteFile(waitingIn(data).path, []byte(c.file), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(c.after)
				for range c.kills {
					next := newRig(data)
					next.Send = kill
					next.during(t, func() { next.with(5*time.Minute, nil) })
				}
				if attempts != 1+c.kills {
					t.Errorf("got %d attempts that were killed, want %d", attempts, 1+c.kills)
				}
				for _, want := range []int{c.want, 0} {
					next := newRig(data)
					next.records(crashed)
					next.during(t, func() { next.with(5*time.Minute, nil) })
					if len(next.sent) != want {
						t.Errorf("got reports %+v, want %d", next.sent, want)
					}
					if want == 1 && (next.sent[0].ReportID != made || next.sent[0].Event.Kind != report.EventClientCrashed || len(next.sent[0].History.Seconds) == 0) {
						t.Errorf("got %+v, want report %s of the crash and the samples around it", next.sent[0], made)
					}
				}
				if _, err := os.Stat(waitingIn(data).path); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("got error %v of the file, want %v", err, fs.ErrNotExist)
				}
			})
		})
	}
}

// TestReportOnAFullDisk: a report that cannot be stored is made as soon as there is room, once, and counts once
// for the limit. After fresh it is given up. An event that is less bad gets its own report afterwards.
func TestReportOnAFullDisk(t *testing.T) {
	crashed, full := report.EventClientCrashed, report.EventOutOfMemory
	for name, c := range map[string]struct {
		full   time.Duration
		atEnd  bool // the service is stopped as soon as there is room
		events []report.HostEventKind
		want   string
	}{
		"for a while":            {5 * time.Minute, false, nil, "client_crashed Zoom"},
		"until the end":          {5*time.Minute + 30*time.Second, true, nil, "client_crashed Zoom"},
		"for too long":           {3 * time.Hour, false, nil, ""},
		"a worse event since":    {5 * time.Minute, false, []report.HostEventKind{full}, "out_of_memory Zoom"},
		"a lesser event since":   {5 * time.Minute, false, []report.HostEventKind{report.EventClientHung}, "client_crashed Zoom, client_hung Zoom"},
		"lesser ones since":      {5 * time.Minute, false, []report.HostEventKind{report.EventGPUReset, report.EventClientHung, report.EventGPUReset}, "client_crashed Zoom, client_hung Zoom"},
		"a lesser, then worse":   {5 * time.Minute, false, []report.HostEventKind{report.EventClientHung, full}, "out_of_memory Zoom, client_hung Zoom"},
		"a lesser, at the end":   {5*time.Minute + 30*time.Second, true, []report.HostEventKind{report.EventClientHung}, "client_crashed Zoom, client_hung Zoom"},
		"a lesser, for too long": {2*time.Hour + 2*time.Minute, false, []report.HostEventKind{report.EventClientHung}, "client_hung Zoom"},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(data)
				store, begin := r.Send, time.Now()
				r.Send = func(ctx context.Context, i Incident) error {
					if time.Since(begin) < c.full {
						return errors.New("no space left on the disk")
					}
					return store(ctx, i)
				}
				r.during(t, func() {
					r.with(time.Minute, nil)
					r.emit(report.HostEvent{At: time.Now(), Kind: crashed, Program: "Zoom"})
					r.with(2*time.Minute, nil)
					for _, kind := range c.events {
						r.emit(report.HostEvent{At: time.Now(), Kind: kind, Program: "Zoom"})
						r.with(20*time.Second, nil)
					}
					r.with(time.Until(begin.Add(c.full)), nil)
					if !c.atEnd {
						r.with(10*time.Minute, nil)
					}
				})
				var events []report.HostEvent
				ids := map[string]bool{}
				for _, i := range r.sent {
					events = append(events, i.Event)
					ids[i.ReportID] = true
				}
				if got := kinds(events); got != c.want || len(ids) != len(r.sent) {
					t.Fatalf("got reports of %q with %d ids, want %q", got, len(ids), c.want)
				}
				if got := burst - r.limit.tokens; got > float64(max(1, len(r.sent))) {
					t.Errorf("got %v tokens used, want at most one for each of %d reports", got, len(r.sent))
				}
				if _, err := os.Stat(waitingIn(data).path); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("got error %v of the file, want %v", err, fs.ErrNotExist)
				}
			})
		})
	}
}

// TestKilledWhileAReportIsStuck: the next run makes both the report that was stuck and that of the lesser event
// since, each once, even if the first one ends each run.
func TestKilledWhileAReportIsStuck(t *testing.T) {
	for name, c := range map[string]struct {
		kills int // of runs by the first report
		want  string
	}{
		"once":            {0, "client_crashed Zoom, client_hung Zoom"},
		"again and again": {1, "client_hung Zoom"},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				stuck := newRig(data)
				var ended atomic.Bool
				stuck.Send = func(context.Context, Incident) error {
					if ended.Load() {
						runtime.Goexit()
					}
					return errors.New("no space left on the disk")
				}
				stuck.during(t, func() {
					stuck.with(time.Minute, nil)
					stuck.emit(report.HostEvent{At: time.Now(), Kind: report.EventClientCrashed, Program: "Zoom"})
					stuck.with(2*time.Minute, nil)
					stuck.emit(report.HostEvent{At: time.Now(), Kind: report.EventClientHung, Program: "Zoom"})
					stuck.with(10*time.Second, nil)
					ended.Store(true)
					stuck.with(time.Minute, nil)
				})
				for range c.kills {
					next := newRig(data)
					next.Send = func(context.Context, Incident) error { runtime.Goexit(); return nil }
					next.during(t, func() { next.with(time.Minute, nil) })
				}
				var events []report.HostEvent
				for range 2 {
					next := newRig(data)
					next.during(t, func() { next.with(5*time.Minute, nil) })
					for _, i := range next.sent {
						events = append(events, i.Event)
					}
				}
				if got := kinds(events); got != c.want {
					t.Errorf("got reports of %q, want %q", got, c.want)
				}
			})
		})
	}
}

// TestKilledWhileKeepingAnEvent: the file of the event is complete at all times.
func TestKilledWhileKeepingAnEvent(t *testing.T) {
	data := t.TempDir()
	if err := os.Mkdir(filepath.Join(data, Folder), 0o700); err != nil {
		t.Fatal(err)
	}
	w, stop := waitingIn(data), make(chan struct{})
	e := keptEvent{HostEvent: report.HostEvent{At: time.Now(), Kind: report.EventClientCrashed, Program: "Zoom"}}
	if err := w.keep(e); err != nil {
		t.Fatal(err)
	}
	written := make(chan error)
	go func() {
		var err error
		for done := false; !done && err == nil; {
			err = w.keep(e)
			select {
			case <-stop:
				done = true
			default:
			}
		}
		written <- err
	}()
	for range 2000 {
		if got, err := w.read(); err != nil || got == nil || got.Program != e.Program {
			t.Errorf("got %+v, error %v; want %+v", got, err, e)
			break
		}
	}
	close(stop)
	if err := <-written; err != nil {
		t.Error(err)
	}
}
