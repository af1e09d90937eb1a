package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// network connects the Agents of several collectors. Messages are delivered by deliver.
type network struct {
	t      *testing.T
	all    map[string]*Agents
	serial uint64
	ports  map[string]*port
}

// port is the Cluster of one of them.
type port struct {
	changed []string
	orders  map[string][]Order // by addressee
	twice   bool               // orders are delivered twice
}

func (p *port) Changed(agentID string)  { p.changed = append(p.changed, agentID) }
func (p *port) Send(to string, o Order) { p.orders[to] = append(p.orders[to], o) }

func newNetwork(t *testing.T, names ...string) *network {
	n := &network{t: t, all: map[string]*Agents{}, ports: map[string]*port{}}
	for _, name := range names {
		n.all[name], n.ports[name] = newAgents(new(bytes.Buffer)), &port{orders: map[string][]Order{}}
		n.all[name].Join(n.ports[name], name)
		t.Cleanup(n.all[name].Close)
	}
	return n
}

// deliver delivers all messages, and those that they cause.
func (n *network) deliver() {
	n.t.Helper()
	for range 20 {
		synctest.Wait()
		quiet := true
		for _, from := range slices.Sorted(maps.Keys(n.all)) {
			p := n.ports[from]
			changed, orders := p.changed, p.orders
			p.changed, p.orders = nil, map[string][]Order{}
			quiet = quiet && len(changed)+len(orders) == 0
			states := n.all[from].Announce(changed)
			n.serial++
			for to, other := range n.all {
				if to == from {
					continue
				}
				other.Hear(from, n.serial, travelled(n.t, states))
				for _, o := range append(slices.Clone(orders[""]), orders[to]...) {
					other.Obey(from, o)
					if p.twice {
						other.Obey(from, o)
					}
				}
			}
		}
		if quiet {
			return
		}
	}
	n.t.Fatal("the collectors do not stop sending messages")
}

// travelled returns states as they arrive at another collector.
func travelled(t *testing.T, all []Announcement) (out []Announcement) {
	t.Helper()
	b, err := json.Marshal(all)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// request requests a retest at a collector while messages are delivered.
func (n *network) request(at string) (Retest, error) {
	type result struct {
		Retest
		error
	}
	done := make(chan result, 1)
	go func() {
		r, err := n.all[at].Request("agent", wire.RetestFull, "support", "old")
		done <- result{r, err}
	}()
	n.deliver()
	r := <-done
	return r.Retest, r.error
}

func consent(id string) wire.ChannelMessage {
	return wire.ChannelMessage{Type: wire.MessageConsent, ID: id, Given: new(true)}
}

// sentOf returns the messages of a type that an agent has received.
func (l *fakeTransport) sentOf(t wire.MessageType) (all []wire.ChannelMessage) {
	for _, m := range l.sent {
		if m.Type == t {
			all = append(all, m)
		}
	}
	return all
}

// across runs a test with two collectors.
func across(t *testing.T, test func(t *testing.T, n *network, a, b *Agents)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, "a", "b")
		test(t, n, n.all["a"], n.all["b"])
	})
}

func TestRetestAcrossCollectors(t *testing.T) {
	across(t, func(t *testing.T, n *network, a, b *Agents) {
		n.ports["b"].twice = true
		if _, err := n.request("b"); !errors.Is(err, ErrNotConnected) {
			t.Fatalf("without a connection: got error %v, want %v", err, ErrNotConnected)
		}
		l, line := connect(t, a, hello("i", true))
		n.deliver()
		if s := b.State("agent"); !s.Connected || !s.Screen {
			t.Errorf("at the other collector: got %+v, want Connected and Screen", s)
		}
		events := b.Hub.SubscribeTo(t.Context(), func(e Event) bool { return e.ParticipantID == "anna" && e.Kind == RetestChanged })
		r, err := n.request("b")
		if err != nil || r.ID == "" || r.State != RetestAsked || r.Before != "old" {
			t.Fatalf("got retest %+v, error %v; want it requested, after report old", r, err)
		}
		if asked := line.sentOf(wire.MessageRetest); len(asked) != 1 || asked[0].ID != r.ID || asked[0].By != "support" {
			t.Errorf("the agent was asked %+v; want once, although the order arrived twice", asked)
		}
		for _, at := range []string{"a", "b"} {
			if _, err := n.request(at); !errors.Is(err, ErrRetestRunning) {
				t.Errorf("a second request at %s: got error %v, want %v", at, err, ErrRetestRunning)
			}
		}
		loud := -12.0
		receive(t, l, consent(r.ID), wire.ChannelMessage{Type: wire.MessageProgress, ID: r.ID, Probe: "nat", Status: "ok"},
			wire.ChannelMessage{Type: wire.MessageLevel, ID: r.ID, RMSDBFS: &loud, PeakDBFS: &loud})
		n.deliver()
		if s := b.State("agent").Retest; s.State != RetestRunning || len(s.Probes) != 1 || s.Level == nil || s.Level.RMSDBFS != loud {
			t.Errorf("running: got %+v at the other collector, want one probe and a level of %v dBFS", s, loud)
		}
		receive(t, l, wire.ChannelMessage{Type: wire.MessageDone, ID: r.ID, ReportID: "new"})
		n.deliver()
		if s := b.State("agent").Retest; s.State != RetestDone || s.After != "new" {
			t.Errorf("done: got %+v at the other collector, want %s with report new", s, RetestDone)
		}
		if len(events) < 3 {
			t.Errorf("the pages of the other collector were notified %d times, want for each change", len(events))
		}
		l.Leave()
		n.deliver()
		if s := b.State("agent"); s.Connected || s.Screen || s.Retest == nil {
			t.Errorf("after the connection: got %+v; want only the retest", s)
		}
	})
}

func TestCancelAtAnotherCollector(t *testing.T) {
	across(t, func(t *testing.T, n *network, a, b *Agents) {
		_, line := connect(t, a, hello("i", true))
		n.deliver()
		r, err := n.request("b")
		if err != nil {
			t.Fatal(err)
		}
		b.Cancel("agent", r.ID)
		if s := b.State("agent").Retest; s.State != RetestCancelled {
			t.Errorf("before the other has heard it: got state %v, want %v", s.State, RetestCancelled)
		}
		n.deliver()
		for name, all := range n.all {
			if s := all.State("agent").Retest; s.State != RetestCancelled {
				t.Errorf("%s: got state %v, want %v", name, s.State, RetestCancelled)
			}
		}
		if c := line.sentOf(wire.MessageCancel); len(c) != 1 || c[0].ID != r.ID {
			t.Errorf("the agent received %+v, want one cancellation", line.sent)
		}
	})
}

func TestOrdersReachTheConnection(t *testing.T) {
	across(t, func(t *testing.T, n *network, a, b *Agents) {
		_, line := connect(t, a, hello("i", true))
		n.deliver()
		b.AskForToken("agent")
		n.deliver()
		if len(line.sentOf(wire.MessageToken)) != 1 {
			t.Errorf("got %+v, want a request for a new token", line.sent)
		}
		b.Renewed("agent")
		n.deliver()
		if line.closed != CloseRenewed {
			t.Errorf("renewed: the connection ended with %q, want %q", line.closed, CloseRenewed)
		}
		_, line = connect(t, a, hello("i", true))
		n.deliver()
		b.Disconnect("agent")
		n.deliver()
		if line.closed != CloseRevoked || b.State("agent").Connected || a.State("agent").Connected {
			t.Errorf("revoked: the connection ended with %q, want %q and no connection", line.closed, CloseRevoked)
		}
		b.Outdated(anna)
		n.deliver()
		if !a.State("agent").Outdated {
			t.Error("the use of a former token is not known to the other collector")
		}
	})
}

// TestRetestSurvivesItsCollector: the agent connects again to another collector.
func TestRetestSurvivesItsCollector(t *testing.T) {
	t.Run("while it runs", func(t *testing.T) {
		across(t, func(t *testing.T, n *network, a, b *Agents) {
			l, _ := connect(t, a, hello("i", true))
			n.deliver()
			r, err := n.request("b")
			if err != nil {
				t.Fatal(err)
			}
			receive(t, l, consent(r.ID))
			n.deliver()
			b.Lost("a")
			if s := b.State("agent"); s.Connected || s.Retest == nil || s.Retest.State != RetestRunning {
				t.Errorf("after the collector has disappeared: got %+v, want the running retest", s)
			}
			again := hello("i", true)
			again.ID = r.ID
			l, line := connect(t, b, again)
			if len(line.sent) != 0 {
				t.Errorf("the agent received %+v, want nothing: it is answering", line.sent)
			}
			receive(t, l, wire.ChannelMessage{Type: wire.MessageDone, ID: r.ID, ReportID: "new"})
			if s := b.State("agent").Retest; s.State != RetestDone || s.After != "new" {
				t.Errorf("got %+v, want it done", s)
			}
		})
	})
	t.Run("before the request arrived", func(t *testing.T) {
		across(t, func(t *testing.T, n *network, a, b *Agents) {
			connect(t, a, hello("i", true))
			n.deliver()
			r, err := n.request("b")
			if err != nil {
				t.Fatal(err)
			}
			_, line := connect(t, b, hello("i", true)) // the agent notices first
			if len(line.sentOf(wire.MessageRetest)) != 0 {
				t.Error("the agent is asked twice")
			}
			b.Lost("a")
			if asked := line.sentOf(wire.MessageRetest); len(asked) != 1 || asked[0].ID != r.ID {
				t.Errorf("the agent received %+v, want the request again", line.sent)
			}
		})
	})
	t.Run("the agent does not return", func(t *testing.T) {
		across(t, func(t *testing.T, n *network, a, b *Agents) {
			connect(t, a, hello("i", true))
			n.deliver()
			if _, err := n.request("b"); err != nil {
				t.Fatal(err)
			}
			b.Lost("a")
			time.Sleep(adoptTime)
			b.Tidy()
			if s := b.State("agent").Retest; s == nil || s.State != RetestLost {
				t.Errorf("got %+v, want state %v", s, RetestLost)
			}
			time.Sleep(keepFor)
			b.Tidy()
			if s := b.State("agent").Retest; s != nil || len(b.remote) != 0 {
				t.Errorf("later: got %+v and %d remembered agents, want none", s, len(b.remote))
			}
		})
	})
}

// TestAnAgentMovesDuringARetest: the former collector has not noticed that the connection is gone.
func TestAnAgentMovesDuringARetest(t *testing.T) {
	across(t, func(t *testing.T, n *network, a, b *Agents) {
		connect(t, a, hello("i", true))
		n.deliver()
		r, err := n.request("a")
		if err != nil {
			t.Fatal(err)
		}
		again := hello("i", true)
		again.ID = r.ID
		n.deliver()
		l, line := connect(t, b, again)
		receive(t, l, consent(r.ID))
		n.deliver()
		for name, all := range n.all {
			if s := all.State("agent").Retest; s == nil || s.State != RetestRunning {
				t.Errorf("%s: got %+v, want it running", name, s)
			}
		}
		a.Cancel("agent", r.ID)
		n.deliver()
		if len(line.sentOf(wire.MessageCancel)) != 1 {
			t.Errorf("the agent received %+v, want the cancellation", line.sent)
		}
	})
}

// TestTwoRequestsAtTheSameTime: an agent is connected to both collectors, and neither has heard of the
// other's request.
func TestTwoRequestsAtTheSameTime(t *testing.T) {
	across(t, func(t *testing.T, n *network, a, b *Agents) {
		connect(t, a, hello("i", false))
		n.deliver()
		time.Sleep(time.Second)
		connect(t, b, hello("i", false))
		// Nothing is delivered: each knows its own connection only.
		first, err := a.Request("agent", wire.RetestFull, "x", "")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
		if _, err := b.ask(Retest{ID: "second", AgentID: "agent", What: wire.RetestFull}); err != nil {
			t.Fatal(err)
		}
		n.deliver()
		for name, all := range n.all {
			if s := all.State("agent").Retest; s.ID != first.ID || s.State != RetestAsked {
				t.Errorf("%s: got %+v, want the first request", name, s)
			}
		}
		if r := b.byID["agent"].retest; r == nil || r.State != RetestCancelled {
			t.Errorf("the second request: got %+v, want state %v", r, RetestCancelled)
		}
	})
}

// TestTheNewestConnectionWithAPersonIsAsked, whichever collector it has reached.
func TestTheNewestConnectionWithAPersonIsAsked(t *testing.T) {
	across(t, func(t *testing.T, n *network, a, b *Agents) {
		_, person := connect(t, a, hello("i", true))
		n.deliver()
		time.Sleep(time.Second)
		_, service := connect(t, b, hello("i", false))
		n.deliver()
		if _, err := n.request("b"); err != nil {
			t.Fatal(err)
		}
		if len(person.sentOf(wire.MessageRetest)) != 1 || len(service.sent) != 0 {
			t.Errorf("got %+v at the person, %+v at the service; want one request at the person", person.sent, service.sent)
		}
	})
}

func TestCopiedIdentityAcrossCollectors(t *testing.T) {
	across(t, func(t *testing.T, n *network, a, b *Agents) {
		one, _ := connect(t, a, hello("one", true))
		n.deliver()
		two, _ := connect(t, b, hello("two", true))
		n.deliver()
		if a.State("agent").Copied || b.State("agent").Copied {
			t.Error("two connections alone prove no copy: the program may have started again")
		}
		for range minReturns + 1 {
			time.Sleep(time.Minute)
			one.Alive()
			n.deliver()
			two.Alive()
			n.deliver()
		}
		for name, all := range n.all {
			if !all.State("agent").Copied {
				t.Errorf("%s: the copy is not detected", name)
			}
		}
	})
}

// TestRepeatedStatesReplaceFormerOnes, after messages were missed.
func TestRepeatedStatesReplaceFormerOnes(t *testing.T) {
	across(t, func(t *testing.T, n *network, a, b *Agents) {
		l, _ := connect(t, a, hello("i", true))
		n.deliver()
		l.Leave()
		n.ports["a"].changed = nil // is missed
		if !b.State("agent").Connected {
			t.Fatal("the test's message was not missed")
		}
		events := b.Hub.SubscribeTo(t.Context(), func(e Event) bool { return e.Kind == AgentPresence && e.ParticipantID == "anna" })
		b.Hear("a", n.serial+1, travelled(t, a.Announce(a.Known())))
		b.Forget("a", n.serial+1)
		if b.State("agent").Connected || len(events) != 1 {
			t.Errorf("got %+v and %d events, want no connection and one event", b.State("agent"), len(events))
		}
	})
}
