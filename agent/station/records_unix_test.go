//go:build unix

package station

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/local"
	"github.com/tonprobe/tonprobe/agent/recorder"
	"github.com/tonprobe/tonprobe/agent/watch"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/linkstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

// record runs a recorder in data for three minutes of a fast clock, and returns the time
// at its end.
func record(t *testing.T, data, program string) (end time.Time) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &recorder.Recorder{
			Data: data, Board: &watch.Board{}, Clock: probe.SystemClock{}, Log: slog.New(slog.DiscardHandler),
			Watchers: []watch.Watcher{{Name: "one event", Run: func(ctx context.Context, emit watch.Emit) error {
				emit(report.HostEvent{At: time.Now(), Kind: report.EventClientStarted, Program: program})
				<-ctx.Done()
				return ctx.Err()
			}}},
			Ask:     func(context.Context, netip.Addr) (time.Duration, error) { return 0, linkstate.ErrSilent },
			Server:  func(context.Context) netip.Addr { return netip.Addr{} },
			Booted:  func() time.Time { return time.Time{} },
			Crashes: func(context.Context, time.Time, time.Time) *report.HostCrash { return &report.HostCrash{} },
			Send:    func(context.Context, recorder.Incident) error { return nil },
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		if err := r.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		end = time.Now()
	})
	return end
}

// serve runs the socket of a service with a data folder until stop is called, or the test
// ends.
func serve(t *testing.T, data string) (socket string, stop func()) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	socket = filepath.Join(t.TempDir(), "agent.sock")
	ctx, cancel := context.WithCancel(context.Background())
	opened, ended := make(chan struct{}), make(chan struct{})
	s := &local.Server{
		Address: socket, Log: log, Opened: func() { close(opened) },
		Agent: &LocalAgent{Config: config.Default(data), Version: "1.0.0", Log: log},
	}
	var err error
	go func() {
		defer close(ended)
		err = s.Run(ctx)
	}()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	select {
	case <-opened:
	case <-ended:
		t.Fatal(err)
	}
	return socket, stop
}

// TestRecordsOfTheService: a person's program reads what the service has recorded, and its
// own records where the service has none.
func TestRecordsOfTheService(t *testing.T) {
	theirs, own := t.TempDir(), t.TempDir()
	socket, stop := serve(t, theirs)
	c := config.Default(own)
	c.Socket = socket
	ctx := t.Context()
	got, err := OpenRecords(c).Events(ctx, time.Time{})
	if len(got) > 0 || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %+v, %v before anything was recorded, want %v", got, err, fs.ErrNotExist)
	}
	read := func(want string) time.Time {
		t.Helper()
		got, err := OpenRecords(c).Events(ctx, time.Time{})
		if err != nil || len(got) != 1 || got[0].Program != want {
			t.Fatalf("want %s, got %+v, %v", want, got, err)
		}
		return got[0].At
	}
	record(t, own, "Firefox")
	read("Firefox")
	end := record(t, theirs, "Zoom")
	at := read("Zoom")
	if got, err := OpenRecords(c).Events(ctx, at.Add(time.Second)); err != nil || len(got) > 0 {
		t.Errorf("got %+v, %v, want no later event", got, err)
	}
	// The person's own folder no longer contains samples, so these are the service's.
	if err := os.RemoveAll(own); err != nil {
		t.Fatal(err)
	}
	h := OpenRecords(c).history(ctx, end)
	if h == nil || h.Kind != report.EventSupportAsked || !h.At.Equal(end) || len(h.Minutes) < 3 || len(h.Seconds) == 0 {
		t.Errorf("got %+v, want 3 minutes and seconds before %v", h, end)
	}
	if h := OpenRecords(c).history(ctx, end.Add(time.Hour)); h != nil {
		t.Errorf("got %+v an hour later, want none", h)
	}

	// One slot of the service is damaged: the rest is returned, together with an error.
	file := filepath.Join(theirs, "recorder", "events")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(b, "damaged"...), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err = OpenRecords(c).Events(ctx, time.Time{})
	if damaged, ok := errors.AsType[*recorder.DamagedError](err); !ok || damaged.Slots != 1 || len(got) != 1 {
		t.Errorf("got %+v, %v, want one event and one damaged slot", got, err)
	}

	stop()
	if got, err := OpenRecords(c).Events(ctx, time.Time{}); len(got) > 0 || err == nil {
		t.Errorf("got %+v, %v without the service, want an error", got, err)
	}
	record(t, own, "Firefox")
	read("Firefox")
}
