package live

import (
	"maps"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Cluster connects Agents with those of the other collectors of the database. Its methods do not
// block, and may be called with the mutex of Agents locked.
type Cluster interface {
	// Changed announces that the state of an agent has changed. The others receive what Announce
	// then returns.
	Changed(agentID string)
	// Send sends an order to one collector, or to all others if to is "". It follows the changes
	// that were announced before.
	Send(to string, o Order)
}

// Announcement is the state of an agent at one collector.
type Announcement struct {
	AgentID       string    `json:"a"`
	ParticipantID string    `json:"p,omitempty"`
	Connected     bool      `json:"c,omitempty"`
	Screen        bool      `json:"s,omitempty"`
	Since         time.Time `json:"t,omitzero"` // of the connection that would be asked
	CopiedAt      time.Time `json:"co,omitzero"`
	OutdatedAt    time.Time `json:"o,omitzero"`
	Instance      string    `json:"i,omitempty"` // after contact with another instance than before
	Retest        *Retest   `json:"r,omitempty"`
	Moves         int       `json:"m,omitempty"` // how often the retest was taken over
}

func (n Announcement) empty() bool {
	return !n.Connected && n.Retest == nil && n.CopiedAt.IsZero() && n.OutdatedAt.IsZero()
}

// OrderKind is the kind of an Order.
type OrderKind string

// Kinds of orders.
const (
	OrderRequest    OrderKind = "request" // a retest; answered with OrderAnswer
	OrderAnswer     OrderKind = "answer"
	OrderCancel     OrderKind = "cancel"     // of a retest
	OrderDisconnect OrderKind = "disconnect" // the token is no longer valid
	OrderRenewed    OrderKind = "renewed"    // the agent uses a new token
	OrderToken      OrderKind = "token"      // ask the agent to replace its token
)

// Order is a message from one collector to others.
type Order struct {
	Kind     OrderKind       `json:"k"`
	AgentID  string          `json:"a,omitempty"`
	RetestID string          `json:"r,omitempty"`
	What     wire.RetestWhat `json:"w,omitempty"`
	By       string          `json:"b,omitempty"`
	Before   string          `json:"l,omitempty"`
	Refused  string          `json:"x,omitempty"` // reason in an answer; "" if the agent was asked
}

// Reasons of Order.Refused.
const (
	refusedRunning      = "running"
	refusedNotConnected = "not_connected"
)

const (
	// answerWait is how long Request waits for the collector with the connection.
	answerWait = 2 * time.Second
	// adoptTime is how long an open retest of a collector that has disappeared may be continued at
	// another one, to which its agent connects again.
	adoptTime = 20 * time.Second
)

// remote is the state of an agent at another collector.
type remote struct {
	Announcement
	collector string // "" if it has disappeared, and only the retest is left
	serial    uint64
	until     time.Time // when the retest of a collector that has disappeared ends, or is forgotten
}

// Join connects a, which the others know by a name, with other collectors. It must be called before the
// first Connect.
func (a *Agents) Join(c Cluster, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cluster, a.name = c, name
}

func (a *Agents) send(to string, o Order) {
	if a.cluster != nil {
		a.cluster.Send(to, o)
	}
}

// Known returns the agents of which this collector has something to announce.
func (a *Agents) Known() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make([]string, 0, len(a.byID))
	all = slices.AppendSeq(all, maps.Keys(a.byID))
	for id := range a.outdated {
		if a.byID[id] == nil {
			all = append(all, id)
		}
	}
	return all
}

// Announce returns the present state of agents.
func (a *Agents) Announce(agentIDs []string) []Announcement {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make([]Announcement, 0, len(agentIDs))
	for _, id := range agentIDs {
		n := Announcement{AgentID: id, OutdatedAt: a.outdated[id]}
		if w := a.byID[id]; w != nil {
			n.ParticipantID, n.Connected, n.CopiedAt, n.Retest = w.participant, len(w.links) > 0, w.copiedAt, w.retest.copy()
			if l := w.addressee(); l != nil {
				n.Screen, n.Since = l.screen, l.since
			}
			if w.retest != nil {
				n.Moves = w.retest.moves
			}
			n.Instance, w.contact = w.contact, ""
		}
		all = append(all, n)
	}
	return all
}

// Hear applies announcements of another collector. Those with a higher serial are newer.
func (a *Agents) Hear(collector string, serial uint64, all []Announcement) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, n := range all {
		a.hear(remote{Announcement: n, collector: collector, serial: serial})
	}
}

func (a *Agents) hear(n remote) {
	old, next := remote{}, []remote(nil)
	for _, r := range a.remote[n.AgentID] {
		switch {
		case r.collector == n.collector:
			old = r
		case r.collector == "" && n.Retest != nil && r.Retest.ID == n.Retest.ID:
			// It continues there.
		default:
			next = append(next, r)
		}
	}
	if !n.empty() {
		next = append(next, n)
	}
	a.setRemote(n.AgentID, next)
	if n.ParticipantID == "" {
		n.ParticipantID = old.ParticipantID
	}
	if w := a.byID[n.AgentID]; w != nil {
		if n.Instance != "" {
			a.countContact(w, n.Instance)
		}
		a.settle(w, n)
	}
	a.askStranded(n.AgentID)
	a.notify(old, n)
}

// notify notifies the pages here of a difference.
func (a *Agents) notify(old, n remote) {
	e := Event{Kind: AgentPresence, ParticipantID: n.ParticipantID, At: a.Now()}
	if old.Connected != n.Connected || old.Screen != n.Screen || !old.CopiedAt.Equal(n.CopiedAt) || !old.OutdatedAt.Equal(n.OutdatedAt) {
		a.Hub.Deliver(e)
	}
	if old.Retest != nil || n.Retest != nil {
		e.Kind = RetestChanged
		a.Hub.Deliver(e)
	}
}

func (a *Agents) setRemote(agentID string, all []remote) {
	if len(all) == 0 {
		delete(a.remote, agentID)
		return
	}
	a.remote[agentID] = all
}

// Forget removes what a collector has announced before a serial: it is no longer true.
func (a *Agents) Forget(collector string, before uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, gone := range a.announcedBy(collector) {
		if gone.serial < before {
			a.hear(remote{Announcement: Announcement{AgentID: gone.AgentID, ParticipantID: gone.ParticipantID}, collector: collector})
		}
	}
}

// Lost removes what a collector that has disappeared has announced. Its retests are still shown, and
// can be continued for adoptTime.
func (a *Agents) Lost(collector string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.Now()
	for _, gone := range a.announcedBy(collector) {
		left := remote{Announcement: Announcement{AgentID: gone.AgentID, ParticipantID: gone.ParticipantID}}
		if gone.Retest != nil {
			left.Retest, left.Moves, left.until = gone.Retest, gone.Moves, now.Add(keepFor)
			if gone.Retest.Open() {
				left.until = now.Add(adoptTime)
			}
		}
		next := slices.DeleteFunc(slices.Clone(a.remote[gone.AgentID]), func(r remote) bool { return r.collector == collector })
		if left.Retest != nil {
			next = append(next, left)
		}
		a.setRemote(gone.AgentID, next)
		a.askStranded(gone.AgentID)
		a.notify(gone, left)
	}
}

// Tidy ends and forgets the retests of collectors that have disappeared.
func (a *Agents) Tidy() {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.Now()
	for _, left := range a.announcedBy("") {
		if now.Before(left.until) {
			continue
		}
		next := slices.DeleteFunc(slices.Clone(a.remote[left.AgentID]), func(r remote) bool { return r.collector == "" && r.Retest.ID == left.Retest.ID })
		after := remote{Announcement: Announcement{AgentID: left.AgentID, ParticipantID: left.ParticipantID}}
		if left.Retest.Open() {
			ended := *left.Retest
			ended.State, ended.Level = RetestLost, nil
			after.Retest, after.Moves, after.until = &ended, left.Moves, now.Add(keepFor)
			next = append(next, after)
		}
		a.setRemote(left.AgentID, next)
		a.notify(left, after)
	}
}

func (a *Agents) announcedBy(collector string) (all []remote) {
	for _, states := range a.remote {
		for _, r := range states {
			if r.collector == collector {
				all = append(all, r)
			}
		}
	}
	return all
}

// connectedAt returns the collector that asks the agent: it has the newest connection with a person or, if
// there is none, the newest connection. If it is this collector, local is true and collector empty. Without
// a connection both results are zero.
func (a *Agents) connectedAt(agentID string) (collector string, local bool) {
	var best Announcement
	if w := a.byID[agentID]; w != nil {
		if l := w.addressee(); l != nil {
			best, local = Announcement{Connected: true, Screen: l.screen, Since: l.since}, true
		}
	}
	for _, r := range a.remote[agentID] {
		if !r.Connected {
			continue
		}
		if !best.Connected || r.Screen && !best.Screen || r.Screen == best.Screen && r.Since.After(best.Since) {
			best, collector, local = r.Announcement, r.collector, false
		}
	}
	return collector, local
}

// retestOf returns a copy of the retest to show: an open one, otherwise the newest.
func (a *Agents) retestOf(agentID string) (best *Retest) {
	if w := a.byID[agentID]; w != nil {
		best = w.retest.copy()
	}
	for _, r := range a.remote[agentID] {
		switch {
		case r.Retest == nil:
		case best == nil, r.Retest.ID == best.ID && r.Retest.State.rank() > best.State.rank(),
			r.Retest.ID != best.ID && (r.Retest.Open() && !best.Open() || r.Retest.Open() == best.Open() && r.Retest.At.After(best.At)):
			best = (&retest{Retest: *r.Retest}).copy()
		}
	}
	return best
}
