package live

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// fakeTransport records what the collector sends.
type fakeTransport struct {
	sent   []wire.ChannelMessage
	closed CloseReason
	polls  bool
}

func (l *fakeTransport) Send(m wire.ChannelMessage) { l.sent = append(l.sent, m) }
func (l *fakeTransport) Close(why CloseReason)      { l.closed = why }
func (l *fakeTransport) Polls() bool                { return l.polls }

func newAgents(log *bytes.Buffer) *Agents {
	return NewAgents(AgentsConfig{Hub: NewHub(), Now: time.Now, Random: rand.Reader, Log: slog.New(slog.NewTextHandler(log, nil))})
}

var anna = Caller{AgentID: "agent", ParticipantID: "anna"}

func hello(instance string, screen bool) wire.ChannelMessage {
	return wire.ChannelMessage{Type: wire.MessageHello, Version: "1", Instance: instance, Screen: screen}
}

func connect(t *testing.T, a *Agents, h wire.ChannelMessage) (*Link, *fakeTransport) {
	t.Helper()
	line := &fakeTransport{}
	l, ok := a.Connect(anna, h, line)
	if !ok {
		t.Fatal("not connected")
	}
	return l, line
}

func receive(t *testing.T, l *Link, all ...wire.ChannelMessage) {
	t.Helper()
	for _, m := range all {
		if err := l.Receive(m); err != nil {
			t.Fatalf("%+v: %v", m, err)
		}
	}
}

func TestRetestFromRequestToReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgents(new(bytes.Buffer))
		if _, err := a.Request("agent", wire.RetestFull, "support", ""); !errors.Is(err, ErrNotConnected) {
			t.Fatalf("without a connection: got error %v, want %v", err, ErrNotConnected)
		}
		_, service := connect(t, a, hello("i", false))
		l, line := connect(t, a, hello("i", true))
		events := a.Hub.Subscribe(t.Context())
		r, err := a.Request("agent", wire.RetestFull, "support", "old")
		if err != nil {
			t.Fatal(err)
		}
		if len(service.sent) != 0 || len(line.sent) != 1 || line.sent[0].ID != r.ID || line.sent[0].By != "support" || !line.sent[0].ExpiresAt.Equal(r.At.Add(AnswerTime)) {
			t.Errorf("got %+v at the service, %+v at the program; want one request, at the program", service.sent, line.sent)
		}
		if _, err := a.Request("agent", wire.RetestNetwork, "support", ""); !errors.Is(err, ErrRetestRunning) {
			t.Errorf("a second request: got error %v, want %v", err, ErrRetestRunning)
		}
		level := func(rms float64) wire.ChannelMessage {
			return wire.ChannelMessage{Type: wire.MessageLevel, ID: r.ID, RMSDBFS: &rms, PeakDBFS: &rms}
		}
		receive(t, l, level(-20)) // without consent there is no level
		if s := a.State("agent"); s.Retest.State != RetestAsked || s.Retest.Level != nil || !s.Connected || !s.Screen {
			t.Errorf("before consent: got %+v, want it requested without a level", s.Retest)
		}
		receive(t, l, wire.ChannelMessage{Type: wire.MessageConsent, ID: r.ID, Given: new(true)},
			wire.ChannelMessage{Type: wire.MessageProgress, ID: r.ID, Probe: "nat", Status: wire.StatusRunning},
			wire.ChannelMessage{Type: wire.MessageProgress, ID: r.ID, Probe: "nat", Status: "ok"},
			level(-30), level(-10)) // the second one is too early
		s := a.State("agent").Retest
		if s.State != RetestRunning || len(s.Probes) != 1 || s.Probes[0] != (ProbeStatus{"nat", "ok"}) || s.Level == nil || s.Level.RMSDBFS != -30 {
			t.Errorf("running: got %+v %+v, want %s with probe nat and a level of -30 dBFS", s, s.Level, RetestRunning)
		}
		receive(t, l, wire.ChannelMessage{Type: wire.MessageDone, ID: r.ID, ReportID: "new"})
		s = a.State("agent").Retest
		if s.State != RetestDone || s.Before != "old" || s.After != "new" || s.Level != nil {
			t.Errorf("done: got %+v; want State %v, Before %q, After %q, no Level", s, RetestDone, "old", "new")
		}
		// Replayed messages have no effect.
		receive(t, l, wire.ChannelMessage{Type: wire.MessageConsent, ID: r.ID, Given: new(true)},
			wire.ChannelMessage{Type: wire.MessageDone, ID: r.ID, ReportID: "other"}, wire.ChannelMessage{Type: wire.MessageDone, ID: "foreign", ReportID: "x"})
		if s := a.State("agent").Retest; s.State != RetestDone || s.After != "new" {
			t.Errorf("after a replay: got %+v; want State %v, After %q", s, RetestDone, "new")
		}
		if n := len(events); n != 6 {
			t.Errorf("got %d events, want one for each change", n)
		}
		time.Sleep(keepFor)
		synctest.Wait()
		if s := a.State("agent"); s.Retest != nil || !s.Connected {
			t.Errorf("after half an hour: got %+v; want no Retest, Connected true", s)
		}
		a.Close()
	})
}

func TestRetestEnds(t *testing.T) {
	consent := func(given bool) wire.ChannelMessage {
		return wire.ChannelMessage{Type: wire.MessageConsent, Given: &given}
	}
	for name, c := range map[string]struct {
		messages  []wire.ChannelMessage
		wait      time.Duration
		cancel    bool
		want      RetestState
		why       string
		withdrawn bool
	}{
		"declined":           {messages: []wire.ChannelMessage{consent(false)}, want: RetestRefused, why: wire.WhyDeclined},
		"no person":          {messages: []wire.ChannelMessage{{Type: wire.MessageRefused, Why: wire.WhyNoPerson}}, want: RetestRefused, why: wire.WhyNoPerson},
		"failed":             {messages: []wire.ChannelMessage{consent(true), {Type: wire.MessageRefused, Why: wire.WhyFailed}}, want: RetestRefused, why: wire.WhyFailed},
		"no answer":          {wait: AnswerTime, want: RetestLost, withdrawn: true},
		"no end":             {messages: []wire.ChannelMessage{consent(true)}, wait: runTime, want: RetestLost, withdrawn: true},
		"still running":      {messages: []wire.ChannelMessage{consent(true)}, wait: runTime - time.Second, want: RetestRunning},
		"cancelled":          {cancel: true, want: RetestCancelled, withdrawn: true},
		"cancelled running":  {messages: []wire.ChannelMessage{consent(true)}, cancel: true, want: RetestCancelled, withdrawn: true},
		"done without asked": {messages: []wire.ChannelMessage{{Type: wire.MessageDone, ReportID: "r"}}, want: RetestAsked},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAgents(new(bytes.Buffer))
				defer a.Close()
				l, line := connect(t, a, hello("i", true))
				r, err := a.Request("agent", wire.RetestFull, "support", "")
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range c.messages {
					m.ID = r.ID
					receive(t, l, m)
				}
				if c.cancel {
					a.Cancel("agent", "wrong")
					a.Cancel("agent", r.ID)
				}
				time.Sleep(c.wait)
				synctest.Wait()
				if s := a.State("agent").Retest; s.State != c.want || s.Why != c.why {
					t.Errorf("got %s %q, want %s %q", s.State, s.Why, c.want, c.why)
				}
				if last := line.sent[len(line.sent)-1]; (last.Type == wire.MessageCancel && last.ID == r.ID) != c.withdrawn {
					t.Errorf("got messages %+v at the agent, want a cancellation at the end: %v", line.sent, c.withdrawn)
				}
				if all := l.Pending(r.ID); len(all) > 0 != (c.withdrawn || c.want == RetestRefused) {
					t.Errorf("got %+v from a poll that knows the retest, want messages: %v", all, c.withdrawn || c.want == RetestRefused)
				}
			})
		})
	}
}

func TestRetestSurvivesAReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgents(new(bytes.Buffer))
		defer a.Close()
		l, _ := connect(t, a, hello("i", true))
		r, err := a.Request("agent", wire.RetestFull, "support", "")
		if err != nil {
			t.Fatal(err)
		}
		l.Leave()
		l.Leave()
		if a.State("agent").Connected || a.Connected() != 0 {
			t.Error("still connected")
		}
		again, line := connect(t, a, hello("i", true))
		if len(line.sent) != 1 || line.sent[0].ID != r.ID {
			t.Errorf("after the reconnect: got %+v; want 1 entry, [0].ID %v", line.sent, r.ID)
		}
		receive(t, again, wire.ChannelMessage{Type: wire.MessageConsent, ID: r.ID, Given: new(true)})
		again.Leave()
		if _, line := connect(t, a, hello("i", true)); len(line.sent) != 0 {
			t.Errorf("a running retest was requested again: got %+v, want none", line.sent)
		}
	})
}

// TestAgentsLearnThatTheirRetestIsOver: an agent may have been disconnected when the retest
// ended, and the collector may no longer know it.
func TestAgentsLearnThatTheirRetestIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgents(new(bytes.Buffer))
		defer a.Close()
		wants := func(what string, all []wire.ChannelMessage, cancelled, requested string) {
			t.Helper()
			got := map[wire.MessageType]string{}
			for _, m := range all {
				got[m.Type] = m.ID
			}
			if got[wire.MessageCancel] != cancelled || got[wire.MessageRetest] != requested {
				t.Errorf("%s: got %+v, want a cancel of %q and a request %q", what, all, cancelled, requested)
			}
		}
		knows := func(id string) wire.ChannelMessage {
			h := hello("i", true)
			h.ID = id
			return h
		}
		l, line := connect(t, a, knows("before"))
		wants("after a restart of the collector", line.sent, "before", "")
		wants("a poll after a restart", l.Pending("before"), "before", "")

		first, err := a.Request("agent", wire.RetestFull, "support", "")
		if err != nil {
			t.Fatal(err)
		}
		l.Leave()
		a.Cancel("agent", first.ID)
		l, line = connect(t, a, knows(first.ID))
		wants("after a cancel", line.sent, first.ID, "")

		// Cancelled and requested again between two polls, or while the connection was down.
		second, err := a.Request("agent", wire.RetestFull, "support", "")
		if err != nil {
			t.Fatal(err)
		}
		wants("a poll that knows the first one", l.Pending(first.ID), first.ID, second.ID)
		wants("a poll that knows none", l.Pending(""), "", second.ID)
		wants("a poll that knows the second one", l.Pending(second.ID), "", "")
		l.Leave()
		_, line = connect(t, a, knows(first.ID))
		wants("a connection that knows the first one", line.sent, first.ID, second.ID)
		if line.sent[0].Type != wire.MessageCancel {
			t.Error("the agent would refuse the second one as busy")
		}
		_, line = connect(t, a, knows(second.ID))
		wants("a connection that knows the second one", line.sent, "", "")
	})
}

// TestOnePersonIsAsked: a request stays where it is shown, and only one check runs.
func TestOnePersonIsAsked(t *testing.T) {
	type person struct {
		*Link
		line *fakeTransport
	}
	join := func(t *testing.T, a *Agents, h wire.ChannelMessage) person {
		l, line := connect(t, a, h)
		return person{l, line}
	}
	asked := func(p person, id string) bool {
		return len(p.Pending("")) > 0 || slices.ContainsFunc(p.line.sent, func(m wire.ChannelMessage) bool { return m.Type == wire.MessageRetest && m.ID == id })
	}
	withdrawn := func(p person, id string) bool {
		return slices.ContainsFunc(p.line.sent, func(m wire.ChannelMessage) bool { return m.Type == wire.MessageCancel && m.ID == id })
	}
	for name, play := range map[string]func(t *testing.T, a *Agents, first person, r Retest){
		"another program opens": func(t *testing.T, a *Agents, first person, r Retest) {
			for _, instance := range []string{"other", ""} {
				if asked(join(t, a, hello(instance, true)), r.ID) {
					t.Errorf("instance %q is asked as well", instance)
				}
			}
			if len(first.Pending("")) == 0 {
				t.Error("the first one is no longer asked")
			}
		},
		"the service returns": func(t *testing.T, a *Agents, _ person, r Retest) {
			if asked(join(t, a, hello("i", false)), r.ID) {
				t.Error("the service is asked, although it cannot ask a person")
			}
		},
		"its window closes during the check": func(t *testing.T, a *Agents, _ person, r Retest) {
			h := hello("i", false) // over long polling, before the end of the old connection is noticed
			h.ID = r.ID
			if again := join(t, a, h); withdrawn(again, r.ID) {
				t.Errorf("the check was withdrawn: got %+v", again.line.sent)
			}
		},
		"the first one leaves": func(t *testing.T, a *Agents, first person, r Retest) {
			first.Leave()
			second := join(t, a, hello("", true))
			if !asked(second, r.ID) {
				t.Fatal("the second one is not asked")
			}
			h := hello("i", true)
			h.ID = r.ID
			if again := join(t, a, h); !withdrawn(again, r.ID) {
				t.Errorf("the first one returned and still asks: got %+v", again.line.sent)
			}
			if len(second.Pending(r.ID)) > 0 {
				t.Error("the second one is no longer asked")
			}
		},
		"its connection is dead": func(t *testing.T, a *Agents, first person, r Retest) {
			again := join(t, a, hello("i", true))
			if !asked(again, r.ID) {
				t.Fatal("its next connection is not asked")
			}
			receive(t, again.Link, wire.ChannelMessage{Type: wire.MessageConsent, ID: r.ID, Given: new(true)})
			if !withdrawn(first, r.ID) || withdrawn(again, r.ID) {
				t.Errorf("after the consent: got %+v, %+v; want a cancellation for the first only", first.line.sent, again.line.sent)
			}
			if all := first.Pending(r.ID); len(all) != 1 || all[0].Type != wire.MessageCancel {
				t.Errorf("another program got the same question: %+v, want a cancellation", all)
			}
			h := hello("i", true)
			h.ID = r.ID
			if third := join(t, a, h); len(third.line.sent) != 0 {
				t.Errorf("while its check runs: got %+v, want none", third.line.sent)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAgents(new(bytes.Buffer))
				defer a.Close()
				first := join(t, a, hello("i", true))
				r, err := a.Request("agent", wire.RetestFull, "support", "")
				if err != nil {
					t.Fatal(err)
				}
				play(t, a, first, r)
			})
		})
	}
}

// TestPolledConnectionsGiveWay: of too many connections, one that polls is closed first, since its program
// may have ended.
func TestPolledConnectionsGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgents(new(bytes.Buffer))
		defer a.Close()
		_, service := connect(t, a, hello("i", false))
		var polled []*fakeTransport
		for range maxLinks {
			line := &fakeTransport{polls: true}
			if _, ok := a.Connect(anna, hello("", true), line); !ok {
				t.Fatal("not connected")
			}
			polled = append(polled, line)
		}
		if service.closed != "" || polled[0].closed != CloseReplaced || polled[1].closed != "" {
			t.Errorf("got close reasons %q for the service, %q and %q for those that poll; want none, %q, none", service.closed, polled[0].closed, polled[1].closed, CloseReplaced)
		}
	})
}

func TestFloodsAndDisorderEndTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgents(new(bytes.Buffer))
		defer a.Close()
		l, _ := connect(t, a, hello("i", true))
		m := wire.ChannelMessage{Type: wire.MessageConsent, ID: "x", Given: new(true)}
		n := 0
		for l.Receive(m) == nil {
			n++
		}
		if err := l.Receive(m); n != messageBurst || !errors.Is(err, ErrFlood) {
			t.Errorf("after %d messages: got error %v; want %d, %v", n, err, messageBurst, ErrFlood)
		}
		time.Sleep(time.Second)
		for range messagePerSecond {
			receive(t, l, m)
		}
		time.Sleep(time.Minute)
		if err := l.Receive(hello("i", true)); !errors.Is(err, ErrOrder) {
			t.Errorf("a second hello: got error %v, want %v", err, ErrOrder)
		}
		_, first := connect(t, a, hello("i", false))
		for range maxLinks {
			connect(t, a, hello("i", false))
		}
		if first.closed != CloseReplaced || a.Connected() != maxLinks {
			t.Errorf("got %d connections, close reason %q for the oldest; want %d, %q", a.Connected(), first.closed, maxLinks, CloseReplaced)
		}
		_, line := connect(t, a, hello("i", false))
		a.Disconnect("agent")
		if line.closed != CloseRevoked || a.State("agent").Connected {
			t.Errorf("after the block: got close reason %q, want %q", line.closed, CloseRevoked)
		}
	})
}

// TestCopiedIdentity: two machines with one identity are distinguished from a program that
// restarts.
func TestCopiedIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(bytes.Buffer)
		a := newAgents(log)
		defer a.Close()
		first, _ := connect(t, a, hello("one", false))
		second, _ := connect(t, a, hello("two", false))
		first.Alive() // the last ping of a process that ends
		second.Alive()
		if a.State("agent").Copied {
			t.Error("a restart is reported as a copy")
		}
		for range 3 {
			time.Sleep(time.Minute)
			first.Alive()
			second.Alive()
		}
		if !a.State("agent").Copied || strings.Count(log.String(), "data folder was copied") != 1 {
			t.Errorf("the copy was not reported, or logged repeatedly: %s", log)
		}
		first.Leave()
		time.Sleep(copiedFor + time.Second)
		second.Alive()
		if a.State("agent").Copied {
			t.Error("the copy is still shown")
		}
	})
	synctest.Test(t, func(t *testing.T) {
		log := new(bytes.Buffer)
		a := newAgents(log)
		defer a.Close()
		for _, instance := range []string{"one", "two", "three", "four"} {
			service, _ := connect(t, a, hello(instance, false))
			program, _ := connect(t, a, hello(instance, true)) // of the same data folder
			time.Sleep(time.Minute)
			service.Alive()
			program.Alive()
			time.AfterFunc(time.Second, service.Leave) // later than the restart
			time.AfterFunc(time.Second, program.Leave)
		}
		if a.State("agent").Copied || log.Len() > 0 {
			t.Errorf("restarts are reported as copies: %s", log)
		}
		synctest.Wait()
	})
	synctest.Test(t, func(t *testing.T) {
		log := new(bytes.Buffer)
		a := newAgents(log)
		defer a.Close()
		connect(t, a, hello("", false)) // the agent stays known
		for i := range 2 * minReturns {
			first, _ := connect(t, a, hello(fmt.Sprint("one", i), false))
			second, _ := connect(t, a, hello(fmt.Sprint("two", i), false))
			first.Alive() // the last ping of a process that ends
			second.Alive()
			first.Leave()
			second.Leave()
			time.Sleep(copiedFor + time.Second)
		}
		if a.State("agent").Copied || log.Len() > 0 {
			t.Errorf("occasional restarts are reported as copies: %s", log)
		}
	})
}
