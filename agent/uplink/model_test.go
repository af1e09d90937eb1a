package uplink

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// reaction is the collector's reaction to a particular report.
type reaction string

const (
	healthy    reaction = ""
	internal   reaction = "internal error"
	foreign    reaction = "proxy answers 502"
	hangs      reaction = "no answer"
	malformed  reaction = "400"
	tooLarge   reaction = "413"
	proxyLarge reaction = "413 of a proxy"
)

// collectorState is the state of the collector as a whole.
type collectorState string

const (
	fine       collectorState = ""
	busy       collectorState = "503"
	limited    collectorState = "429"
	broken     collectorState = "500 for all"
	noAnswer   collectorState = "hangs for all"
	noLine     collectorState = "cannot be reached"
	proxyFails collectorState = "502 for all"
)

// simulation is a spool and a collector that fails for particular reports and, at times,
// for all.
type simulation struct {
	*rig
	faults map[string]reaction
	state  collectorState
}

func newSimulation(t *testing.T) *simulation {
	w := &simulation{rig: newRig(t, 0), faults: map[string]reaction{}}
	w.fake.before = w.answer
	w.fake.wait = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	return w
}

func (w *simulation) answer(ids []string) (int, string, http.Header, error) {
	switch w.state {
	case busy:
		return fault(503, "unavailable")
	case limited:
		return fault(429, "too_many_requests")
	case broken:
		return fault(500, "internal")
	case noAnswer:
		return 0, "", nil, errHang
	case noLine:
		return 0, "", nil, errDial
	case proxyFails:
		return 502, "<html>", nil, nil
	}
	for _, id := range ids {
		switch w.faults[id] {
		case internal:
			return fault(500, "internal")
		case foreign:
			return 502, "<html>", nil, nil
		case hangs:
			return 0, "", nil, errHang
		case malformed:
			return fault(400, "body_malformed")
		case tooLarge:
			return fault(413, "too_large")
		case proxyLarge:
			return 413, "<html>", nil, nil
		}
	}
	return 0, "", nil, nil
}

// check adds a report and sends it as the program or the service does.
func (w *simulation) check(t *testing.T, a reaction, drain time.Duration) (id string, deliverErr error) {
	id = w.put(t, time.Now(), agentID)
	w.faults[id] = a
	one, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	deliverErr = w.Deliver(one, id)
	cancel()
	ctx, cancel := context.WithTimeout(t.Context(), drain)
	defer cancel()
	_, err := w.Drain(ctx)
	if err != nil && !errors.Is(err, ErrNotReached) && !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("drain: %v", err)
	}
	return id, deliverErr
}

// TestFaultyReportsDoNotHoldUpTheOthers simulates random reports and outages. Each
// healthy report arrives, each faulty one is set aside after a bounded number of
// further checks, and an outage sets nothing aside.
func TestFaultyReportsDoNotHoldUpTheOthers(t *testing.T) {
	need.Full(t, "simulates days")
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 9))
				w := newSimulation(t)
				w.Random = rng.Float64
				reactions := []reaction{internal, foreign, hangs, malformed, tooLarge, proxyLarge}
				states := []collectorState{busy, limited, broken, noAnswer, noLine, proxyFails}
				// The service drains for minutes, the program by hand for seconds.
				drain := []time.Duration{5 * time.Second, 10 * time.Minute}[rng.IntN(2)]
				for range 30 {
					time.Sleep(15 * time.Minute)
					w.state = fine
					if rng.IntN(3) == 0 {
						w.state = states[rng.IntN(len(states))]
					}
					a := healthy
					if rng.IntN(3) == 0 {
						a = reactions[rng.IntN(len(reactions))]
					}
					id, err := w.check(t, a, drain)
					if w.state == fine && a == healthy && (err != nil || w.fake.stored[id] == 0) {
						t.Fatalf("a fresh report was not sent at once: %v", err)
					}
					w.nothingHealthySetAside(t)
				}
				w.state = fine
				for range 40 {
					time.Sleep(15 * time.Minute)
					w.check(t, healthy, drain)
				}
				w.nothingHealthySetAside(t)
				for id, a := range w.faults {
					if a == healthy && w.fake.stored[id] == 0 {
						t.Errorf("%s is valid, but was not delivered", id)
					}
				}
				if waiting := w.in(t, spool.Waiting); len(waiting) != 0 {
					t.Errorf("got %d waiting reports, the first with %q; want none", len(waiting), w.faults[waiting[0]])
				}
				_, counts, err := w.Spool.Drops()
				if quarantined := len(w.in(t, spool.Quarantined)); err != nil || counts[spool.DropQuarantined] != quarantined {
					t.Errorf("got %d set aside, %d counted, error %v; want the same number", quarantined, counts[spool.DropQuarantined], err)
				}
			})
		})
	}
}

func (w *simulation) nothingHealthySetAside(t *testing.T) {
	t.Helper()
	for _, id := range w.in(t, spool.Quarantined) {
		if w.faults[id] == healthy {
			t.Fatalf("%s is valid, but was set aside", id)
		}
	}
}

// TestOutageSetsNothingAside checks this for a long outage.
func TestOutageSetsNothingAside(t *testing.T) {
	need.Full(t, "simulates days")
	for _, bad := range []collectorState{busy, limited, broken, noAnswer, noLine, proxyFails} {
		t.Run(string(bad), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newSimulation(t)
				w.state = bad
				for range 60 {
					w.check(t, healthy, 10*time.Minute)
					time.Sleep(15 * time.Minute)
				}
				if got := w.in(t, spool.Quarantined); len(got) != 0 {
					t.Fatalf("got %d set aside, want 0", len(got))
				}
				w.state = fine
				if _, err := w.Drain(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := w.in(t, spool.Sent); len(got) != len(w.ids) {
					t.Errorf("got %d of %d sent, want all", len(got), len(w.ids))
				}
			})
		})
	}
}

// TestFirstReportFaulty simulates a new participant whose first report always
// yields status 500.
func TestFirstReportFaulty(t *testing.T) {
	for _, a := range []reaction{internal, foreign, hangs} {
		synctest.Test(t, func(t *testing.T) {
			w := newSimulation(t)
			poison, _ := w.check(t, a, 5*time.Second)
			for n := range 4 {
				time.Sleep(time.Hour)
				if _, err := w.check(t, healthy, 5*time.Second); err != nil {
					t.Fatalf("%s: check %d: got error %v, want nil", a, n, err)
				}
			}
			if got := w.in(t, spool.Quarantined); !slices.Equal(got, []string{poison}) {
				t.Errorf("%s: got %v set aside, want %s", a, got, poison)
			}
		})
	}
}

// TestSenderLockIsFreeDuringBackoff checks that a check started by hand can send
// while the service waits for its next attempt.
func TestSenderLockIsFreeDuringBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newSimulation(t)
		w.put(t, time.Now(), agentID)
		w.state = noLine
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = w.Drain(ctx)
		}()
		time.Sleep(4 * time.Minute) // the backoff has grown to minutes
		synctest.Wait()
		w.state = fine
		begin := time.Now()
		id := w.put(t, time.Now(), agentID)
		if err := w.Deliver(t.Context(), id); err != nil {
			t.Error(err)
		}
		done, err := w.Spool.Sender(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		done()
		if waited := time.Since(begin); waited > 0 {
			t.Errorf("waited %v, want not at all", waited)
		}
		cancel()
		<-ended
	})
}

// TestSendWithoutSpool sends a report that did not fit on the disk.
func TestSendWithoutSpool(t *testing.T) {
	r := newRig(t, 1)
	waiting, err := r.Spool.List(spool.Waiting)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := r.Spool.Read(waiting[0])
	if err != nil {
		t.Fatal(err)
	}
	r.Spool = nil
	if err := r.Send(t.Context(), r.ids[0], doc); err != nil || r.fake.stored[r.ids[0]] != 1 {
		t.Errorf("got error %v, stored %v; want %s stored once", err, r.fake.stored, r.ids[0])
	}
	for code, want := range map[int]error{400: ErrRefused, 401: ErrEnrolAgain} {
		r.fake.before = func([]string) (int, string, http.Header, error) { return fault(code, "token_invalid") }
		if err := r.Send(t.Context(), r.ids[0], doc); !errors.Is(err, want) {
			t.Errorf("%d: got error %v, want %v", code, err, want)
		}
	}
}
