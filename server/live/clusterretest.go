package live

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// settle compares a retest of this collector with a retest of another collector. If they are the same, the
// state that has come further continues. Of two requests at the same time, the later one ends.
func (a *Agents) settle(w *agent, n remote) {
	own := w.retest
	if own == nil || n.Retest == nil {
		return
	}
	theirs := n.Retest
	if own.ID == theirs.ID {
		order := own.State.rank() - theirs.State.rank()
		if order == 0 {
			order = cmp.Or(own.moves-n.Moves, strings.Compare(n.collector, a.name))
		}
		switch {
		case order < 0:
			if own.Open() && !theirs.Open() {
				a.withdraw(w, nil)
			}
			own.timer.Stop()
			w.retest = nil
			a.forget(w)
			a.publish(RetestChanged, w)
		case order > 0 && own.moves <= n.Moves:
			own.moves = n.Moves + 1
			a.publish(RetestChanged, w)
		}
		return
	}
	if !own.Open() || !theirs.Open() {
		return
	}
	if order := own.At.Compare(theirs.At); order > 0 || order == 0 && own.ID > theirs.ID {
		a.withdraw(w, nil)
		own.end(RetestCancelled, "")
		a.publish(RetestChanged, w)
	}
}

// rank orders the states of a retest by their progress.
func (s RetestState) rank() int {
	switch s {
	case RetestAsked:
		return 0
	case RetestRunning:
		return 1
	}
	return 2
}

// adoptAnswered takes over a retest of another collector, because the agent says on a connection here
// that it is answering it.
func (a *Agents) adoptAnswered(w *agent, l *Link, id string) bool {
	return id != "" && a.adopt(w, l, func(r remote) bool { return r.Retest.ID == id })
}

// adoptStranded takes over a retest of another collector whose request cannot be answered there any more.
// The caller sends the request.
func (a *Agents) adoptStranded(w *agent, l *Link) bool {
	return a.adopt(w, l, func(r remote) bool { return r.Retest.State == RetestAsked && !r.Connected })
}

func (a *Agents) adopt(w *agent, l *Link, matches func(remote) bool) bool {
	if w.retest != nil && w.retest.Open() {
		return false
	}
	i := slices.IndexFunc(a.remote[w.id], func(r remote) bool {
		return r.Retest != nil && r.Retest.Open() && (w.retest == nil || w.retest.ID != r.Retest.ID) && matches(r)
	})
	if i < 0 {
		return false
	}
	if w.retest != nil {
		w.retest.timer.Stop()
	}
	from := a.remote[w.id][i]
	r := &retest{Retest: *(&retest{Retest: *from.Retest}).copy(), asked: l, moves: from.Moves + 1}
	left := AnswerTime
	if r.State == RetestRunning {
		left = runTime
	}
	r.timer = time.AfterFunc(left, func() { a.expire(w, r) })
	w.retest = r
	if from.collector == "" {
		a.setRemote(w.id, slices.Delete(slices.Clone(a.remote[w.id]), i, i+1))
	}
	a.publish(RetestChanged, w)
	return true
}

// askStranded asks an agent that is connected here what it can no longer answer at another collector.
func (a *Agents) askStranded(agentID string) {
	w := a.byID[agentID]
	if w == nil {
		return
	}
	if l := w.addressee(); l != nil && a.adoptStranded(w, l) {
		l.transport.Send(w.retest.request())
	}
}

// requestAt requests a retest from an agent at another collector. It is called with the mutex locked,
// and unlocks it.
func (a *Agents) requestAt(to string, wanted Retest) (Retest, error) {
	answer := make(chan error, 1)
	a.waiting[wanted.ID] = answer
	a.send(to, Order{Kind: OrderRequest, AgentID: wanted.AgentID, RetestID: wanted.ID, What: wanted.What, By: wanted.By, Before: wanted.Before})
	a.mu.Unlock()
	timeout := time.NewTimer(answerWait)
	defer timeout.Stop()
	err := ErrNotConnected
	select {
	case err = <-answer:
	case <-timeout.C:
		a.Log.Warn("no response of the collector to which the agent is connected", "agent", wanted.AgentID, "collector", to)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, wanted.ID)
	if r := a.retestOf(wanted.AgentID); err == nil && r != nil && r.ID == wanted.ID {
		return *r, nil
	}
	wanted.State = RetestAsked
	return wanted, err
}

// cancelAt cancels a retest of another collector. Pages show it as cancelled at once.
func (a *Agents) cancelAt(agentID, id string) {
	all := slices.Clone(a.remote[agentID])
	for i, r := range all {
		if r.Retest == nil || r.Retest.ID != id || !r.Retest.Open() {
			continue
		}
		ended := *r.Retest
		ended.State, ended.Level = RetestCancelled, nil
		all[i].Retest = &ended
		if r.collector == "" {
			all[i].until = a.Now().Add(keepFor)
		}
		a.setRemote(agentID, all)
		a.send("", Order{Kind: OrderCancel, AgentID: agentID, RetestID: id})
		a.notify(r, all[i])
		return
	}
}

// Obey carries out an order of another collector.
func (a *Agents) Obey(from string, o Order) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch o.Kind {
	case OrderRequest:
		a.send(from, Order{Kind: OrderAnswer, RetestID: o.RetestID, Refused: a.askFor(o)})
	case OrderAnswer:
		if answer := a.waiting[o.RetestID]; answer != nil {
			delete(a.waiting, o.RetestID)
			answer <- map[string]error{refusedRunning: ErrRetestRunning, refusedNotConnected: ErrNotConnected}[o.Refused]
		}
	case OrderCancel:
		a.cancel(o.AgentID, o.RetestID)
	case OrderDisconnect:
		a.endOwnLinks(o.AgentID, CloseRevoked)
	case OrderRenewed:
		a.endOwnLinks(o.AgentID, CloseRenewed)
	case OrderToken:
		a.askForToken(o.AgentID)
	}
}

// askFor asks an agent for another collector, and returns Order.Refused.
func (a *Agents) askFor(o Order) (refused string) {
	if w := a.byID[o.AgentID]; w != nil && w.retest != nil && w.retest.ID == o.RetestID {
		return "" // the order was sent twice
	}
	if o.What != wire.RetestFull && o.What != wire.RetestNetwork {
		return refusedNotConnected
	}
	_, err := a.ask(Retest{ID: o.RetestID, AgentID: o.AgentID, What: o.What, By: o.By, Before: o.Before})
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ErrRetestRunning):
		return refusedRunning
	}
	return refusedNotConnected
}
