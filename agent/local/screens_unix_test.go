//go:build unix

package local

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/agent/channel"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// showing is the program of a person: a function that is asked.
type showing func(ctx context.Context, r channel.Retest) (channel.Consent, error)

func (s showing) Ask(ctx context.Context, r channel.Retest) (channel.Consent, error) {
	return s(ctx, r)
}

// open registers a program until the returned function is called or the test ends.
func open(t *testing.T, c *Client, show showing) (quit func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	registered, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- c.Register(ctx, show, func() { close(registered) }) }()
	select {
	case <-registered:
	case err := <-ended:
		t.Fatalf("register: got %v, want no error", err)
	}
	quit = sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(quit)
	return quit
}

// wait waits until n programs have registered.
func (s *Screens) wait(t *testing.T, n int) {
	t.Helper()
	probetest.Until(t, "the registered programs", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		ready := 0
		for _, o := range s.open {
			o.mu.Lock()
			if o.conn != nil {
				ready++
			}
			o.mu.Unlock()
		}
		return ready == n
	})
}

func retest(id string, what wire.RetestWhat) channel.Retest {
	return channel.Retest{ID: id, What: what, By: "Frau Weber", Ends: time.Now().Add(time.Minute)}
}

// ran is a check in the person's program.
func ran(ctx context.Context, tell func(probe.Event)) (string, error) {
	tell(probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventStarted})
	tell(probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventLevel, Level: probe.Level{RMSDBFS: -31.5, PeakDBFS: -20, Speech: true}})
	tell(probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventMuted, Muted: true}) // not for support
	tell(probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventDone, Result: &report.Result{Status: report.StatusWarn}})
	return "report", ctx.Err()
}

func TestScreenRunsTheCheck(t *testing.T) {
	screens := NewScreens(quiet)
	c, _ := startWith(t, &fakeAgent{}, screens, person)
	present, changed := screens.Present()
	if present {
		t.Fatal("got a screen, want none before a program registers")
	}
	quit := open(t, c, func(_ context.Context, r channel.Retest) (channel.Consent, error) {
		if r.ID != "a" || r.What != wire.RetestFull || r.By != "Frau Weber" || r.Agreed || time.Until(r.Ends) > time.Minute {
			t.Errorf("got %+v, want the request", r)
		}
		return channel.Consent{Given: true, Always: true, Run: ran}, nil
	})
	<-changed
	screens.wait(t, 1)
	given, err := screens.Ask(t.Context(), retest("a", wire.RetestFull))
	if err != nil || !given.Given || !given.Always {
		t.Fatalf("got %+v, %v, want consent", given, err)
	}
	var told []probe.Event
	id, err := given.Run(t.Context(), func(e probe.Event) { told = append(told, e) })
	if id != "report" || err != nil || len(told) != 3 {
		t.Fatalf("got %q, %v, %d events, want the report and 3 events", id, err, len(told))
	}
	if l := told[1].Level; l.RMSDBFS != -31.5 || l.PeakDBFS != -20 || !l.Speech {
		t.Errorf("got level %+v, want that of the program", l)
	}
	if r := told[2].Result; told[0].Kind != probe.EventStarted || r == nil || r.Status != report.StatusWarn {
		t.Errorf("got %+v, want the start and the result", told)
	}
	_, changed = screens.Present()
	quit()
	<-changed
	if given, err := screens.Ask(t.Context(), retest("b", wire.RetestFull)); !errors.Is(err, channel.ErrNoPerson) {
		t.Errorf("got %+v, %v, want %v", given, err, channel.ErrNoPerson)
	}
}

func TestAnswersOfScreens(t *testing.T) {
	no := func(context.Context, channel.Retest) (channel.Consent, error) { return channel.Consent{}, nil }
	busy := func(context.Context, channel.Retest) (channel.Consent, error) {
		return channel.Consent{}, channel.ErrBusy
	}
	yes := func(context.Context, channel.Retest) (channel.Consent, error) {
		return channel.Consent{Given: true, Run: ran}, nil
	}
	never := func(*testing.T) showing {
		return func(context.Context, channel.Retest) (channel.Consent, error) {
			t.Error("got a second question, want none")
			return channel.Consent{}, nil
		}
	}
	for name, c := range map[string]struct {
		first, second showing // the second program is opened later, and asked first
		given         bool
		want          error
	}{
		"no is final":              {never(t), no, false, nil},
		"yes of the later one":     {never(t), yes, true, nil},
		"the later one is busy":    {yes, busy, true, nil},
		"the earlier one says no":  {no, busy, false, nil},
		"both are busy":            {busy, busy, false, channel.ErrBusy},
		"one program that is busy": {nil, busy, false, channel.ErrBusy},
	} {
		t.Run(name, func(t *testing.T) {
			screens := NewScreens(quiet)
			client, _ := startWith(t, &fakeAgent{}, screens, person)
			n := 0
			for _, show := range []showing{c.first, c.second} {
				if show != nil {
					n++
					open(t, client, show)
					screens.wait(t, n)
				}
			}
			got, err := screens.Ask(t.Context(), retest("a", wire.RetestFull))
			if got.Given != c.given || !errors.Is(err, c.want) {
				t.Errorf("got %v, %v, want %v, %v", got.Given, err, c.given, c.want)
			}
		})
	}
}

// TestScreenClosesInTheMiddle: support learns the end of a check, and an unanswered question goes to
// the other person's program.
func TestScreenClosesInTheMiddle(t *testing.T) {
	screens := NewScreens(quiet)
	c, _ := startWith(t, &fakeAgent{}, screens, person)
	open(t, c, func(context.Context, channel.Retest) (channel.Consent, error) { return channel.Consent{}, nil })
	screens.wait(t, 1)
	asked := make(chan struct{})
	quit := open(t, c, func(ctx context.Context, _ channel.Retest) (channel.Consent, error) {
		close(asked)
		<-ctx.Done()
		return channel.Consent{}, ctx.Err()
	})
	screens.wait(t, 2)
	go func() { <-asked; quit() }()
	if given, err := screens.Ask(t.Context(), retest("a", wire.RetestFull)); given.Given || err != nil {
		t.Errorf("got %v, %v, want the no of the other program", given.Given, err)
	}

	screens.wait(t, 1)
	running := make(chan struct{})
	quitLast := open(t, c, func(context.Context, channel.Retest) (channel.Consent, error) {
		return channel.Consent{Given: true, Run: func(ctx context.Context, _ func(probe.Event)) (string, error) {
			close(running)
			<-ctx.Done()
			return "", ctx.Err()
		}}, nil
	})
	screens.wait(t, 2)
	given, err := screens.Ask(t.Context(), retest("b", wire.RetestFull))
	if err != nil || !given.Given {
		t.Fatalf("got %v, %v, want consent", given.Given, err)
	}
	go func() { <-running; quitLast() }()
	if id, err := given.Run(t.Context(), func(probe.Event) {}); !errors.Is(err, channel.ErrEnded) {
		t.Errorf("got %q, %v, want %v", id, err, channel.ErrEnded)
	}
}

// TestRequestIsOver: a request that is over is taken back, before the answer and during the check, and a
// late answer to it does not count for the next one.
func TestRequestIsOver(t *testing.T) {
	screens := NewScreens(quiet)
	c, _ := startWith(t, &fakeAgent{}, screens, person)
	shown, over := make(chan struct{}, 4), make(chan string, 4)
	open(t, c, func(ctx context.Context, r channel.Retest) (channel.Consent, error) {
		shown <- struct{}{}
		switch r.ID {
		case "late": // says yes as the request ends
			<-ctx.Done()
			over <- r.ID
			return channel.Consent{Given: true, Run: ran}, nil
		case "next":
			<-ctx.Done()
			over <- r.ID
			return channel.Consent{}, ctx.Err()
		}
		return channel.Consent{Given: true, Run: func(ctx context.Context, _ func(probe.Event)) (string, error) {
			<-ctx.Done()
			over <- r.ID
			return "", ctx.Err()
		}}, nil
	})
	screens.wait(t, 1)
	for _, id := range []string{"late", "next"} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-shown; cancel() }()
		given, err := screens.Ask(ctx, retest(id, wire.RetestFull))
		if given.Given || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, %v, want no consent and %v", id, given.Given, err, context.Canceled)
		}
		if got := <-over; got != id {
			t.Errorf("got the end of %q, want %q", got, id)
		}
	}
	given, err := screens.Ask(t.Context(), retest("cancelled", wire.RetestFull))
	if err != nil || !given.Given {
		t.Fatalf("got %v, %v, want consent", given.Given, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if id, err := given.Run(ctx, func(probe.Event) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %q, %v, want %v", id, err, context.Canceled)
	}
	if got := <-over; got != "cancelled" {
		t.Errorf("got the end of %q, want that of the check", got)
	}
}

// TestServiceStopsInTheMiddle: a check that the person has agreed to ends with its report, and a
// question without an answer disappears.
func TestServiceStopsInTheMiddle(t *testing.T) {
	for _, agreed := range []bool{true, false} {
		screens := NewScreens(quiet)
		address, stop := startStoppable(t, screens)
		ended, asked, release := make(chan error, 1), make(chan struct{}), make(chan struct{})
		finished := make(chan error, 1)
		go func() {
			ended <- NewClient(address).Register(t.Context(), showing(func(ctx context.Context, _ channel.Retest) (channel.Consent, error) {
				close(asked)
				if !agreed {
					<-ctx.Done()
					finished <- ctx.Err()
					return channel.Consent{}, ctx.Err()
				}
				return channel.Consent{Given: true, Run: func(ctx context.Context, _ func(probe.Event)) (string, error) {
					<-release
					finished <- ctx.Err()
					return "report", ctx.Err()
				}}, nil
			}), nil)
		}()
		screens.wait(t, 1)
		ctx, cancel := context.WithCancel(t.Context())
		answered := make(chan channel.Consent, 1)
		go func() { given, _ := screens.Ask(ctx, retest("a", wire.RetestFull)); answered <- given }()
		<-asked
		if agreed {
			<-answered
		}
		stop()
		close(release)
		if err := <-finished; (err == nil) != agreed {
			t.Errorf("agreed %v: got %v, want an error only without an answer", agreed, err)
		}
		if err := <-ended; !errors.Is(err, ErrNoService) {
			t.Errorf("got %v, want %v", err, ErrNoService)
		}
		cancel()
	}
}

// startStoppable runs a service until stop is called.
func startStoppable(t *testing.T, screens *Screens) (address string, stop func()) {
	t.Helper()
	address = t.TempDir() + "/agent.sock"
	ctx, cancel := context.WithCancel(context.Background())
	opened, ended := make(chan struct{}), make(chan error, 1)
	s := &Server{Address: address, Agent: &fakeAgent{}, Screens: screens, Log: quiet, Opened: func() { close(opened) },
		peerOf: func(net.Conn) (Peer, error) { return person, nil }}
	go func() { ended <- s.Run(ctx) }()
	<-opened
	return address, func() { cancel(); <-ended }
}

// TestHostilePrograms: unsolicited messages of a program have no effect, and an invalid message
// ends its connection.
func TestHostilePrograms(t *testing.T) {
	for name, c := range map[string]struct {
		sent   []string
		closed bool
	}{
		"consent to nothing":             {[]string{`{"type":"answer","id":"x","answer":"yes"}`, `{"type":"done","id":"x","report_id":"r"}`}, false},
		"another type":                   {[]string{`{"type":"dance","id":"a"}`}, true},
		"a question to the service":      {[]string{`{"type":"ask","id":"a"}`}, true},
		"an invalid answer":              {[]string{`{"type":"answer","id":"a","answer":"maybe"}`}, true},
		"an id with markup":              {[]string{`{"type":"answer","id":"<b>","answer":"yes"}`}, true},
		"not JSON":                       {[]string{`<html>`}, true},
		"a level without values":         {[]string{`{"type":"event","id":"a","probe":"audio.input"}`}, true},
		"a status that does not exist":   {[]string{`{"type":"event","id":"a","probe":"audio.input","status":"good"}`}, true},
		"a report with a path for an id": {[]string{`{"type":"done","id":"a","report_id":"../x"}`}, true},
	} {
		t.Run(name, func(t *testing.T) {
			screens := NewScreens(quiet)
			client, _ := startWith(t, &fakeAgent{}, screens, person)
			conn, _, err := websocket.Dial(t.Context(), "ws://"+host+pathScreen, &websocket.DialOptions{HTTPClient: client.http})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.CloseNow() }()
			screens.wait(t, 1)
			for _, m := range c.sent {
				if err := conn.Write(t.Context(), websocket.MessageText, []byte(m)); err != nil {
					t.Fatal(err)
				}
			}
			if c.closed {
				_, _, err := conn.Read(t.Context())
				if got := websocket.CloseStatus(err); got != websocket.StatusPolicyViolation {
					t.Errorf("got %v, %v, want %v", got, err, websocket.StatusPolicyViolation)
				}
				return
			}
			// Asked, it sends them again, before its answer: the connection keeps the order.
			answered := make(chan error, 1)
			go func() {
				_, _, err := conn.Read(t.Context()) // the question
				for _, m := range append(slices.Clone(c.sent), `{"type":"answer","id":"a","answer":"busy"}`) {
					err = errors.Join(err, conn.Write(t.Context(), websocket.MessageText, []byte(m)))
				}
				answered <- err
			}()
			if given, err := screens.Ask(t.Context(), retest("a", wire.RetestFull)); given.Given || !errors.Is(err, channel.ErrBusy) {
				t.Errorf("got %v, %v, want no consent and %v", given.Given, err, channel.ErrBusy)
			}
			if err := <-answered; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTooManyScreens(t *testing.T) {
	screens := NewScreens(quiet)
	c, _ := startWith(t, &fakeAgent{}, screens, person)
	for n := range maxScreensAccount {
		open(t, c, nil)
		screens.wait(t, n+1)
	}
	if err := c.Register(t.Context(), nil, nil); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v, want %v", err, ErrBusy)
	}
	program, _ := startWith(t, &fakeAgent{}, NewScreens(quiet), Peer{Account: "33"})
	if err := program.Register(t.Context(), nil, nil); !errors.Is(err, ErrNotAdmitted) {
		t.Errorf("got %v, want %v", err, ErrNotAdmitted)
	}
}

func TestAllowNetworkRetest(t *testing.T) {
	a := &fakeAgent{}
	c, _ := start(t, a, person)
	for _, want := range []bool{true, false} {
		if _, err := c.AllowNetworkRetest(t.Context(), want); err != nil || a.allowed != want {
			t.Errorf("got %v, %v, want %v", a.allowed, err, want)
		}
	}
	a.fixed = true
	if _, err := c.AllowNetworkRetest(t.Context(), false); !errors.Is(err, ErrFixed) {
		t.Errorf("got %v, want %v", err, ErrFixed)
	}
}

func FuzzParseFromScreen(f *testing.F) {
	for _, s := range []string{
		`{"type":"answer","id":"a","answer":"always"}`, `{"type":"event","id":"a","probe":"nat","status":"ok"}`,
		`{"type":"event","id":"a","probe":"audio.input","rms_dbfs":-31,"peak_dbfs":1e300}`, `{"type":"done","id":"a"}`, `{`, `[]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseFromScreen(b)
		if err != nil {
			if !errors.Is(err, ErrScreenMessage) {
				t.Errorf("got %v, want %v", err, ErrScreenMessage)
			}
			return
		}
		if m.Type == screenEvent {
			m.event() // does not panic
		}
	})
}
