package uplink

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

const agentID = "8f14e45f-ceea-467f-9d4f-000000000001"

// fakeCollector responds without a network, so that the time can be simulated.
type fakeCollector struct {
	stored map[string]int // how often each id was accepted
	// before, if not nil, can replace the response.
	before func(ids []string) (status int, body string, header http.Header, err error)
	// wait, if not nil, blocks instead of the response, for errHang.
	wait  func(context.Context) error
	posts []time.Time
	token string
}

// Results of fakeCollector.before that represent network errors.
var (
	errHang = errors.New("hang")
	errDial = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
)

func (f *fakeCollector) RoundTrip(r *http.Request) (*http.Response, error) {
	f.posts = append(f.posts, time.Now())
	f.token = r.Header.Get("Authorization")
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		return nil, err
	}
	var in struct {
		Reports []json.RawMessage `json:"reports"`
	}
	if err := json.NewDecoder(z).Decode(&in); err != nil {
		return nil, err
	}
	var ids []string
	for _, doc := range in.Reports {
		r, err := report.Decode(doc)
		if err != nil {
			return nil, err
		}
		ids = append(ids, r.ID)
	}
	if f.before != nil {
		status, body, header, err := f.before(ids)
		if errors.Is(err, errHang) {
			return nil, f.wait(r.Context())
		}
		if status != 0 || err != nil {
			if err != nil {
				return nil, err
			}
			return respond(status, body, header), nil
		}
	}
	var out struct {
		Results []result `json:"results"`
	}
	for _, id := range ids {
		status := "stored"
		if f.stored[id] > 0 {
			status = "duplicate"
		}
		f.stored[id]++
		out.Results = append(out.Results, result{ID: id, Status: status})
	}
	b, err := json.Marshal(out)
	return respond(http.StatusAccepted, string(b), nil), err
}

func respond(status int, body string, header http.Header) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(bytes.NewReader([]byte(body)))}
}

func fault(status int, code string) (int, string, http.Header, error) {
	return status, fmt.Sprintf(`{"error":{"code":%q,"message":"<b>no</b>"}}`, code), nil, nil
}

type rig struct {
	*Uplink
	fake *fakeCollector
	ids  []string
}

func newRig(t *testing.T, reports int) *rig {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	s, err := spool.New(t.Context(), spool.Config{FS: newMemory(), Lock: newLocks(), Now: time.Now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	fake := &fakeCollector{stored: map[string]int{}}
	r := &rig{fake: fake, Uplink: &Uplink{
		Collector: &collector.Endpoint{URL: "https://collector.example.org", Token: "secret"},
		Client:    &http.Client{Transport: fake}, Spool: s, AgentID: agentID,
		Clock: probe.SystemClock{}, Random: func() float64 { return 0.999 }, Log: log,
	}}
	for i := range reports {
		r.put(t, time.Now().Add(time.Duration(i)*time.Second), agentID)
	}
	return r
}

func (r *rig) put(t *testing.T, at time.Time, agent string) string {
	t.Helper()
	id, err := report.NewID(at, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := (&report.Report{
		Schema: report.SchemaV1, ID: id, Case: "K7P-3QX", Trigger: report.TriggerCheck, Profile: "bbb",
		Agent: report.Agent{ID: agent, Version: "1", OS: "linux", Arch: "amd64"}, StartedAt: at.UTC(), Verdict: report.Unknown,
	}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Spool.Put(t.Context(), id, doc); err != nil {
		t.Fatal(err)
	}
	r.ids = append(r.ids, id)
	return id
}

func (r *rig) in(t *testing.T, s spool.State) []string {
	t.Helper()
	entries, err := r.Spool.List(s)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

func TestEverythingIsDeliveredOnceAndInOrder(t *testing.T) {
	r := newRig(t, 120)
	sum, err := r.Drain(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(sum.Delivered, r.ids) || len(r.fake.posts) != 3 || r.fake.token != "Bearer secret" {
		t.Errorf("got %d delivered in %d requests with %q; want %d in 3 with %q", len(sum.Delivered), len(r.fake.posts), r.fake.token, len(r.ids), "Bearer secret")
	}
	for id, n := range r.fake.stored {
		if n != 1 {
			t.Errorf("%s was accepted %d times, want once", id, n)
		}
	}
	if left := r.in(t, spool.Waiting); len(left) != 0 {
		t.Errorf("got %d waiting, want 0", len(left))
	}
}

// The response is lost: the report is sent again, and the collector reports a
// duplicate.
func TestLostAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2)
		lost := false
		r.fake.before = func(ids []string) (int, string, http.Header, error) {
			if lost {
				return 0, "", nil, nil
			}
			lost = true
			for _, id := range ids {
				r.fake.stored[id]++
			}
			return 0, "", nil, errors.New("connection reset")
		}
		sum, err := r.Drain(t.Context())
		if err != nil || len(sum.Delivered) != 2 || len(r.in(t, spool.Sent)) != 2 {
			t.Errorf("got %+v, error %v; want 2 delivered and in sent", sum, err)
		}
	})
}

func TestRefusedReportDoesNotHoldUpTheOthers(t *testing.T) {
	for name, refuse := range map[string]func(bad string, ids []string) (int, string, http.Header, error){
		"one result": func(bad string, ids []string) (int, string, http.Header, error) {
			var out []result
			for _, id := range ids {
				s := result{ID: id, Status: "stored"}
				if id == bad {
					s = result{ID: id, Status: "rejected", Error: "bad"}
				}
				out = append(out, s)
			}
			b, _ := json.Marshal(map[string]any{"results": out})
			return http.StatusAccepted, string(b), nil, nil
		},
		"the whole body": func(bad string, ids []string) (int, string, http.Header, error) {
			if slices.Contains(ids, bad) {
				return fault(http.StatusRequestEntityTooLarge, "too_large")
			}
			return 0, "", nil, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 5)
			bad := r.ids[1]
			r.fake.before = func(ids []string) (int, string, http.Header, error) { return refuse(bad, ids) }
			sum, err := r.Drain(t.Context())
			if err != nil || len(sum.Delivered) != 4 || !slices.Equal(sum.Quarantined, []string{bad}) {
				t.Errorf("got %+v, error %v; want Delivered 4 entries, Quarantined %v", sum, err, []string{bad})
			}
			if got := r.in(t, spool.Quarantined); !slices.Equal(got, []string{bad}) {
				t.Errorf("got %v set aside, want %v", got, []string{bad})
			}
		})
	}
}

func TestUnsendableReportsAreSetAside(t *testing.T) {
	r := newRig(t, 1)
	other := r.put(t, time.Now(), "8f14e45f-ceea-467f-9d4f-00000000000f")
	id, err := report.NewID(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Spool.Put(t.Context(), id, []byte(`{"schema":"tonprobe.report/v9"}`)); err != nil {
		t.Fatal(err)
	}
	sum, err := r.Drain(t.Context())
	if err != nil || len(sum.Delivered) != 1 || !slices.Contains(sum.Quarantined, other) || !slices.Contains(sum.Quarantined, id) {
		t.Errorf("got %+v, error %v; want 1 delivered, %s and %s quarantined", sum, err, other, id)
	}
}

func TestFinalRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		code   string
		want   error
	}{
		"unknown token": {401, "token_invalid", ErrEnrolAgain},
		"forbidden":     {403, "agent_mismatch", ErrEnrolAgain},
		"blocked":       {403, "participant_blocked", ErrBlocked},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 2)
			r.fake.before = func([]string) (int, string, http.Header, error) { return fault(c.status, c.code) }
			if _, err := r.Drain(t.Context()); !errors.Is(err, c.want) {
				t.Errorf("got error %v, want %v", err, c.want)
			}
			if len(r.fake.posts) != 1 || len(r.in(t, spool.Waiting)) != 2 {
				t.Errorf("got %d requests, %d waiting; want 1, 2", len(r.fake.posts), len(r.in(t, spool.Waiting)))
			}
		})
	}
}

// A temporary failure is retried, and no report leaves the spool.
func TestTemporaryFailures(t *testing.T) {
	for name, answer := range map[string]func() (int, string, http.Header, error){
		"network":         func() (int, string, http.Header, error) { return 0, "", nil, errors.New("no route") },
		"server error":    func() (int, string, http.Header, error) { return 503, "", nil, nil },
		"captive portal":  func() (int, string, http.Header, error) { return 200, "<html>", nil, nil },
		"proxy":           func() (int, string, http.Header, error) { return 403, "<html>", nil, nil },
		"foreign 400":     func() (int, string, http.Header, error) { return 400, "<html>", nil, nil },
		"half an answer":  func() (int, string, http.Header, error) { return 202, `{"results":[{"id"`, nil, nil },
		"missing results": func() (int, string, http.Header, error) { return 202, `{"results":[]}`, nil, nil },
		"unknown status": func() (int, string, http.Header, error) {
			return 202, `{"results":[{"id":"x","status":"ok"}]}`, nil, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 3)
				r.fake.before = func([]string) (int, string, http.Header, error) {
					if len(r.fake.posts) > 4 {
						return 0, "", nil, nil
					}
					return answer()
				}
				begun := time.Now()
				sum, err := r.Drain(t.Context())
				if err != nil || len(sum.Delivered) != 3 || len(sum.Quarantined) != 0 {
					t.Errorf("got %+v, error %v; want Delivered 3 entries, Quarantined none", sum, err)
				}
				// The upper limits are 1, 2, 4 and 8 s, with random at 0.999.
				if took := time.Since(begun).Round(time.Second); took != 15*time.Second {
					t.Errorf("got a wait of %v in total, want 15s", took)
				}
			})
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1)
		r.fake.before = func([]string) (int, string, http.Header, error) {
			if len(r.fake.posts) > 1 {
				return 0, "", nil, nil
			}
			return 429, "", http.Header{"Retry-After": {"90"}}, nil
		}
		if _, err := r.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if gap := r.fake.posts[1].Sub(r.fake.posts[0]); gap < 90*time.Second || gap > 135*time.Second {
			t.Errorf("got a retry after %v, want 90 to 135 s", gap)
		}
	})
}

func TestExpiredTimeLeavesEverythingWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3)
		r.fake.before = func([]string) (int, string, http.Header, error) { return 500, "", nil, nil }
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if _, err := r.Drain(ctx); !errors.Is(err, ErrNotReached) {
			t.Errorf("got error %v, want %v", err, ErrNotReached)
		}
		if len(r.in(t, spool.Waiting)) != 3 {
			t.Error("a report was removed from the spool")
		}
	})
}

// TestErasedParticipant: the collector has erased the participant. Nothing is sent again, nothing waits
// for ever, and the person learns why.
func TestErasedParticipant(t *testing.T) {
	r := newRig(t, 120) // several batches
	r.fake.before = func([]string) (int, string, http.Header, error) {
		return fault(http.StatusForbidden, "participant_erased")
	}
	if sum, err := r.Drain(t.Context()); !errors.Is(err, ErrErased) || len(sum.Quarantined) != 120 || len(r.fake.posts) != 1 {
		t.Errorf("got %d set aside in %d requests, error %v; want 120 in 1, %v", len(sum.Quarantined), len(r.fake.posts), err, ErrErased)
	}
	if _, err := r.Drain(t.Context()); err != nil || len(r.fake.posts) != 1 {
		t.Errorf("the next time: got %d requests, error %v; want no more", len(r.fake.posts), err)
	}
	id := r.put(t, time.Now(), agentID)
	if err := r.Deliver(t.Context(), id); !errors.Is(err, ErrErased) || slices.Contains(r.in(t, spool.Waiting), id) {
		t.Errorf("a new report: got error %v, want %v and nothing that waits", err, ErrErased)
	}
}
