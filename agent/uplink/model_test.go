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
)

// ailment is the collector's reaction to a particular report.
type ailment string

const (
	healthy    ailment = ""
	internal   ailment = "internal error"
	foreign    ailment = "proxy answers 502"
	hangs      ailment = "no answer"
	malformed  ailment = "400"
	tooLarge   ailment = "413"
	proxyLarge ailment = "413 of a proxy"
)

// weather is the state of the collector as a whole.
type weather string

const (
	fine       weather = ""
	busy       weather = "503"
	limited    weather = "429"
	broken     weather = "500 for all"
	noAnswer   weather = "hangs for all"
	noLine     weather = "cannot be reached"
	proxyFails weather = "502 for all"
)

// world is a spool and a collector that fails for particular reports and, at times,
// for all.
type world struct {
	*rig
	ill     map[string]ailment
	weather weather
}

func newWorld(t *testing.T) *world {
	w := &world{rig: newRig(t, 0), ill: map[string]ailment{}}
	w.fake.before = w.answer
	w.fake.wait = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	return w
}

func (w *world) answer(ids []string) (int, string, http.Header, error) {
	switch w.weather {
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
		switch w.ill[id] {
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
func (w *world) check(t *testing.T, a ailment, drain time.Duration) (id string, deliverErr error) {
	id = w.put(t, time.Now(), agentID)
	w.ill[id] = a
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
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 9))
				w := newWorld(t)
				w.Random = rng.Float64
				ailments := []ailment{internal, foreign, hangs, malformed, tooLarge, proxyLarge}
				weathers := []weather{busy, limited, broken, noAnswer, noLine, proxyFails}
				// The service drains for minutes, the program by hand for seconds.
				drain := []time.Duration{5 * time.Second, 10 * time.Minute}[rng.IntN(2)]
				for range 30 {
					time.Sleep(15 * time.Minute)
					w.weather = fine
					if rng.IntN(3) == 0 {
						w.weather = weathers[rng.IntN(len(weathers))]
					}
					a := healthy
					if rng.IntN(3) == 0 {
						a = ailments[rng.IntN(len(ailments))]
					}
					id, err := w.check(t, a, drain)
					if w.weather == fine && a == healthy && (err != nil || w.fake.stored[id] == 0) {
						t.Fatalf("a fresh report was not sent at once: %v", err)
					}
					w.nothingHealthySetAside(t)
				}
				w.weather = fine
				for range 40 {
					time.Sleep(15 * time.Minute)
					w.check(t, healthy, drain)
				}
				w.nothingHealthySetAside(t)
				for id, a := range w.ill {
					if a == healthy && w.fake.stored[id] == 0 {
						t.Errorf("%s is healthy and was never delivered", id)
					}
				}
				if waiting := w.in(t, spool.Waiting); len(waiting) != 0 {
					t.Errorf("%d reports still wait, the first with %q", len(waiting), w.ill[waiting[0]])
				}
				_, counts, err := w.Spool.Drops()
				if quarantined := len(w.in(t, spool.Quarantined)); err != nil || counts[spool.DropQuarantined] != quarantined {
					t.Errorf("%d set aside, %d counted, %v", quarantined, counts[spool.DropQuarantined], err)
				}
			})
		})
	}
}

func (w *world) nothingHealthySetAside(t *testing.T) {
	t.Helper()
	for _, id := range w.in(t, spool.Quarantined) {
		if w.ill[id] == healthy {
			t.Fatalf("%s is healthy and was set aside", id)
		}
	}
}

// TestOutageSetsNothingAside checks this for a long outage.
func TestOutageSetsNothingAside(t *testing.T) {
	for _, bad := range []weather{busy, limited, broken, noAnswer, noLine, proxyFails} {
		t.Run(string(bad), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.weather = bad
				for range 60 {
					w.check(t, healthy, 10*time.Minute)
					time.Sleep(15 * time.Minute)
				}
				if got := w.in(t, spool.Quarantined); len(got) != 0 {
					t.Fatalf("%d set aside", len(got))
				}
				w.weather = fine
				if _, err := w.Drain(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := w.in(t, spool.Sent); len(got) != len(w.ids) {
					t.Errorf("%d of %d sent", len(got), len(w.ids))
				}
			})
		})
	}
}

// TestFirstReportFaulty simulates a new participant whose first report always
// yields status 500.
func TestFirstReportFaulty(t *testing.T) {
	for _, a := range []ailment{internal, foreign, hangs} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			poison, _ := w.check(t, a, 5*time.Second)
			for n := range 4 {
				time.Sleep(time.Hour)
				if _, err := w.check(t, healthy, 5*time.Second); err != nil {
					t.Fatalf("%s: check %d: %v", a, n, err)
				}
			}
			if got := w.in(t, spool.Quarantined); !slices.Equal(got, []string{poison}) {
				t.Errorf("%s: set aside: %v, want %s", a, got, poison)
			}
		})
	}
}

// TestSenderLockIsFreeDuringBackoff checks that a check started by hand can send
// while the service waits for its next attempt.
func TestSenderLockIsFreeDuringBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(t, time.Now(), agentID)
		w.weather = noLine
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = w.Drain(ctx)
		}()
		time.Sleep(4 * time.Minute) // the backoff has grown to minutes
		synctest.Wait()
		w.weather = fine
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
			t.Errorf("waited %v", waited)
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
		t.Errorf("%v, stored %v", err, r.fake.stored)
	}
	for code, want := range map[int]error{400: ErrRefused, 401: ErrEnrolAgain} {
		r.fake.before = func([]string) (int, string, http.Header, error) { return fault(code, "token_invalid") }
		if err := r.Send(t.Context(), r.ids[0], doc); !errors.Is(err, want) {
			t.Errorf("%d: %v", code, err)
		}
	}
}
