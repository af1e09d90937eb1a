package channel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestNetworkRetestThatIsAllowed(t *testing.T) {
	f := newFakeCollector(t)
	f.dialogue = func(_ int, conn *websocket.Conn) {
		f.tell(conn, request1("old", wire.RetestNetwork, -time.Second))
		f.tell(conn, request1("far", wire.RetestNetwork, time.Hour))
		_ = conn.Write(context.Background(), websocket.MessageText, []byte(`{"type":"update","id":3}`))
		f.tell(conn, request1("a", wire.RetestNetwork, time.Minute))
		f.tell(conn, request1("a", wire.RetestNetwork, time.Minute)) // replayed
		f.listen(conn)
	}
	f.start(&RetestHandler{Network: network, AllowsNetwork: func() bool { return true }}, probe.SystemClock{})
	if m := f.wantNext(wire.MessageConsent, "a"); !*m.Given {
		t.Errorf("got %+v, want consent", m)
	}
	if m := f.wantNext(wire.MessageProgress, "a"); m.Status != wire.StatusRunning || m.Probe != "nat" {
		t.Errorf("got %+v, want running nat", m)
	}
	if m := f.wantNext(wire.MessageProgress, "a"); m.Status != "ok" {
		t.Errorf("got %+v, want status ok", m)
	}
	if m := f.wantNext(wire.MessageDone, "a"); m.ReportID != "report" {
		t.Errorf("got %+v, want the report", m)
	}
	if h := f.hellos[0]; h.Instance != "one" || h.Version != "1.0" || h.Screen || f.sockets != 1 {
		t.Errorf("got hello %+v and %d connections, want one of instance one without a screen", h, f.sockets)
	}
	select {
	case m := <-f.arrived:
		t.Errorf("got %+v, want no answer to a replayed or expired request", m)
	case <-time.After(50 * time.Millisecond):
	}
}

// screen is a Screen that calls a function.
type screen func(ctx context.Context, r Retest) (Consent, error)

func (s screen) Ask(ctx context.Context, r Retest) (Consent, error) { return s(ctx, r) }

func TestAnswersOfAPerson(t *testing.T) {
	fails := func(err error) screen {
		return func(context.Context, Retest) (Consent, error) { return Consent{}, err }
	}
	full := func(_ context.Context, tell func(probe.Event)) (string, error) {
		for range 3 {
			tell(probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventLevel, Level: probe.Level{RMSDBFS: -31.44, PeakDBFS: -400, Speech: true}})
		}
		return "report", nil
	}
	given := func(run Runner) screen {
		return func(_ context.Context, r Retest) (Consent, error) {
			if r.By != "support" || time.Until(r.Ends) > time.Minute {
				t.Errorf("got %+v, want a request of support within a minute", r)
			}
			return Consent{Given: true, Run: run}, nil
		}
	}
	never := func(ctx context.Context, _ Retest) (Consent, error) { <-ctx.Done(); return Consent{}, ctx.Err() }
	allowed := func() bool { return true }
	for name, c := range map[string]struct {
		handler *RetestHandler
		what    wire.RetestWhat
		valid   time.Duration
		want    string // message types, and the reason of a refusal
	}{
		"yes":                         {&RetestHandler{Screen: given(full)}, wire.RetestFull, time.Minute, "consent true level done"},
		"no":                          {&RetestHandler{Screen: screen(func(context.Context, Retest) (Consent, error) { return Consent{}, nil })}, wire.RetestFull, time.Minute, "consent false"},
		"nobody":                      {&RetestHandler{Network: network, AllowsNetwork: allowed}, wire.RetestFull, time.Minute, "refused no_person"},
		"not allowed in advance":      {&RetestHandler{Network: network, AllowsNetwork: func() bool { return false }}, wire.RetestNetwork, time.Minute, "refused no_person"},
		"nobody signed in":            {&RetestHandler{Screen: fails(ErrNoPerson)}, wire.RetestFull, time.Minute, "refused no_person"},
		"busy":                        {&RetestHandler{Screen: fails(ErrBusy)}, wire.RetestFull, time.Minute, "refused busy"},
		"quit":                        {&RetestHandler{Screen: fails(ErrEnded)}, wire.RetestFull, time.Minute, "refused ended"},
		"broken":                      {&RetestHandler{Screen: fails(errors.New("x"))}, wire.RetestFull, time.Minute, "refused failed"},
		"no answer":                   {&RetestHandler{Screen: screen(never)}, wire.RetestFull, time.Second, "refused no_answer"},
		"network by the screen":       {&RetestHandler{Screen: given(nil), Network: network}, wire.RetestNetwork, time.Minute, "consent true progress progress done"},
		"microphone without a screen": {&RetestHandler{Screen: given(nil), Network: network}, wire.RetestFull, time.Minute, "refused failed"},
		"unknown":                     {&RetestHandler{Screen: given(full)}, "dance", time.Minute, "refused unsupported"},
		"panic":                       {&RetestHandler{Screen: given(func(context.Context, func(probe.Event)) (string, error) { panic("x") })}, wire.RetestFull, time.Minute, "consent true refused failed"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeCollector(t)
			f.dialogue = func(_ int, conn *websocket.Conn) {
				f.tell(conn, request1("a", c.what, c.valid))
				if c.valid < time.Minute {
					// A busy machine may receive the first one too late, and then answers this one.
					f.tell(conn, request1("a", c.what, 10*c.valid))
				}
				f.listen(conn)
			}
			f.start(c.handler, probe.SystemClock{})
			got := ""
			for got != c.want {
				m := f.next()
				got = strings.TrimSpace(got + " " + string(m.Type))
				if m.Given != nil {
					got += fmt.Sprint(" ", *m.Given)
				}
				if m.Why != "" {
					got += " " + m.Why
				}
				if m.RMSDBFS != nil && (*m.RMSDBFS != -31.4 || *m.PeakDBFS != -120) {
					t.Errorf("got levels %v and %v, want -31.4 and -120", *m.RMSDBFS, *m.PeakDBFS)
				}
				if !strings.HasPrefix(c.want, got) {
					t.Fatalf("got %q, want %q", got, c.want)
				}
			}
		})
	}
}

func TestOneRetestAtATimeAndCancel(t *testing.T) {
	f := newFakeCollector(t)
	asked := make(chan string, 3)
	f.dialogue = func(_ int, conn *websocket.Conn) {
		f.tell(conn, request1("a", wire.RetestFull, time.Minute))
		<-asked
		f.tell(conn, request1("b", wire.RetestFull, time.Minute))
		f.tell(conn, wire.ChannelMessage{Type: wire.MessageCancel, ID: "wrong"})
		f.tell(conn, wire.ChannelMessage{Type: wire.MessageCancel, ID: "a"})
		f.listen(conn)
	}
	withdrawn := make(chan struct{})
	f.start(&RetestHandler{Screen: screen(func(ctx context.Context, r Retest) (Consent, error) {
		asked <- r.ID
		<-ctx.Done()
		close(withdrawn)
		return Consent{}, ctx.Err()
	})}, probe.SystemClock{})
	if m := f.wantNext(wire.MessageRefused, "b"); m.Why != wire.WhyBusy {
		t.Errorf("got %+v, want why busy", m)
	}
	<-withdrawn
}

// TestRequestAfterAWithdrawnOne: the check of the withdrawn one may end later.
func TestRequestAfterAWithdrawnOne(t *testing.T) {
	f := newFakeCollector(t)
	asked, release := make(chan struct{}), make(chan struct{})
	end := sync.OnceFunc(func() { close(release) })
	f.dialogue = func(_ int, conn *websocket.Conn) {
		f.tell(conn, request1("a", wire.RetestFull, time.Minute))
		<-asked
		f.tell(conn, wire.ChannelMessage{Type: wire.MessageCancel, ID: "a"})
		f.tell(conn, request1("b", wire.RetestFull, time.Minute))
		f.tell(conn, request1("c", wire.RetestFull, time.Minute)) // b is not withdrawn
		f.listen(conn)
	}
	f.start(&RetestHandler{Screen: screen(func(ctx context.Context, r Retest) (Consent, error) {
		if r.ID == "b" {
			return Consent{}, nil
		}
		close(asked)
		<-ctx.Done()
		<-release
		return Consent{}, ctx.Err()
	})}, probe.SystemClock{})
	t.Cleanup(end) // before that of start
	if m := f.wantNext(wire.MessageRefused, "c"); m.Why != wire.WhyBusy {
		t.Errorf("got %+v, want why busy", m)
	}
	end()
	if m := f.wantNext(wire.MessageConsent, "b"); *m.Given {
		t.Errorf("got %+v, want no consent", m)
	}
}

// TestWhoPerformsAnAllowedCheck: a check that was permitted in advance is shown to a
// person who is present, and otherwise runs in this process. The microphone is never
// permitted in advance.
func TestWhoPerformsAnAllowedCheck(t *testing.T) {
	byScreen := func(context.Context, func(probe.Event)) (string, error) { return "screen", nil }
	byService := func(context.Context, func(probe.Event)) (string, error) { return "service", nil }
	for name, c := range map[string]struct {
		what             wire.RetestWhat
		allowed, present bool
		answer           error
		wantAgreed       bool
		want             string // who performs it, or the error
	}{
		"present, allowed":       {wire.RetestNetwork, true, true, nil, true, "screen"},
		"present, not allowed":   {wire.RetestNetwork, false, true, nil, false, "screen"},
		"absent, allowed":        {wire.RetestNetwork, true, false, nil, false, "service"},
		"absent, not allowed":    {wire.RetestNetwork, false, false, nil, false, ErrNoPerson.Error()},
		"closed, allowed":        {wire.RetestNetwork, true, true, ErrNoPerson, true, "service"},
		"closed, not allowed":    {wire.RetestNetwork, false, true, ErrNoPerson, false, ErrNoPerson.Error()},
		"busy, allowed":          {wire.RetestNetwork, true, true, ErrBusy, true, ErrBusy.Error()},
		"microphone":             {wire.RetestFull, true, true, nil, false, "screen"},
		"microphone, absent":     {wire.RetestFull, true, false, nil, false, ErrNoPerson.Error()},
		"microphone, just ended": {wire.RetestFull, true, true, ErrNoPerson, false, ErrNoPerson.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			stored := 0
			h := &RetestHandler{
				Network: byService, AllowsNetwork: func() bool { return c.allowed }, Log: slog.New(slog.DiscardHandler),
				AllowNetwork: func() error { stored++; return nil },
				Present:      func() (bool, <-chan struct{}) { return c.present, nil },
				Screen: screen(func(_ context.Context, r Retest) (Consent, error) {
					if r.Agreed != c.wantAgreed {
						t.Errorf("got agreed %v, want %v", r.Agreed, c.wantAgreed)
					}
					return Consent{Given: true, Always: true, Run: byScreen}, c.answer
				}),
			}
			run, err := h.consent(t.Context(), Retest{ID: "a", What: c.what, Ends: time.Now().Add(time.Minute)})
			got := ""
			if err != nil {
				got = err.Error()
			} else if got, err = run(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if want := c.want == "screen" && c.what == wire.RetestNetwork; (stored == 1) != want {
				t.Errorf("got the permission stored %d times, want it: %v", stored, want)
			}
		})
	}
}
