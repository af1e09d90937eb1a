package live

import (
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// outdatedFor is how long a use of a former token is shown. An agent that is refused tries again
// every 15 minutes.
const outdatedFor = time.Hour

// maxOutdated limits the remembered agents with an outdated copy.
const maxOutdated = 10_000

// AskForToken asks a connected agent to replace its token. One that is not connected learns it from
// the next response of the API.
func (a *Agents) AskForToken(agentID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.askForToken(agentID)
	a.send("", Order{Kind: OrderToken, AgentID: agentID})
}

func (a *Agents) askForToken(agentID string) {
	w := a.byID[agentID]
	if w == nil {
		return
	}
	for _, l := range w.links {
		l.transport.Send(wire.ChannelMessage{Type: wire.MessageToken})
	}
}

// AnnounceSessions asks the connected agents of participants to request their sessions, each after
// a random wait of at most within. Others learn of them when they connect.
func (a *Agents) AnnounceSessions(participantIDs map[string]bool, within time.Duration) {
	m := wire.ChannelMessage{Type: wire.MessageSessions, WithinS: int(within / time.Second)}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, w := range a.byID {
		if !participantIDs[w.participant] {
			continue
		}
		for _, l := range w.links {
			l.transport.Send(m)
		}
	}
}

// Renewed ends the connections of an agent that uses a new token. It connects again with that one;
// a copy of the former one cannot.
func (a *Agents) Renewed(agentID string) { a.endLinks(agentID, CloseRenewed, OrderRenewed) }

// Outdated records that the former token of an agent was used long after its replacement: by a copy
// of its data folder, or after the restore of a backup.
func (a *Agents) Outdated(c Caller) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.Now()
	if now.Sub(a.outdated[c.AgentID]).Abs() > outdatedFor {
		a.Log.Warn("a former token is used: the data folder was copied or restored from a backup", "agent", c.AgentID, "participant", c.ParticipantID)
		defer a.Hub.Deliver(Event{Kind: AgentPresence, ParticipantID: c.ParticipantID, At: now})
		if a.cluster != nil {
			defer a.cluster.Changed(c.AgentID)
		}
	}
	if len(a.outdated) >= maxOutdated {
		for id, at := range a.outdated {
			if now.Sub(at).Abs() > outdatedFor {
				delete(a.outdated, id)
			}
		}
	}
	if len(a.outdated) < maxOutdated {
		a.outdated[c.AgentID] = now
	}
}
