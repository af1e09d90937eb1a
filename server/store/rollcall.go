package store

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// RollState is the state of a member before a session, as a colour. It is always
// shown together with a text.
type RollState string

// The states of a member, worst first.
const (
	RollRed   RollState = "red"   // a check that counts found that this person is not ready
	RollAmber RollState = "amber" // it found a limitation, or did not hear the microphone
	RollGrey  RollState = "grey"  // never checked, or blocked
	RollBlue  RollState = "blue"  // the last check is too old, or the computer is asleep
	RollGreen RollState = "green" // ready
)

// RollStates returns all states, worst first.
func RollStates() []RollState { return []RollState{RollRed, RollAmber, RollGrey, RollBlue, RollGreen} }

// earliestNoonSession is the first hour at which a session is late enough for checks to
// count from noon only.
const earliestNoonSession = 13

// RollSince returns the time from which checks count for a session: noon of its day in
// this zone or, for a session that starts before 13:00, the beginning of that day.
func RollSince(start time.Time, zone *time.Location) time.Time {
	local := start.In(zone)
	hour := 12
	if local.Hour() < earliestNoonSession {
		hour = 0
	}
	return time.Date(local.Year(), local.Month(), local.Day(), hour, 0, 0, 0, zone)
}

// RollStateOf returns the state of a member; checks count from since on.
func RollStateOf(p ParticipantState, since time.Time) RollState {
	switch {
	case p.Blocked || p.Last == nil:
		return RollGrey
	case !p.Fresh(since):
		return RollBlue
	}
	switch p.Verdict {
	case report.NotReady:
		return RollRed
	case report.Ready:
		if p.readyInPart() {
			return RollAmber
		}
		return RollGreen
	}
	return RollAmber
}

// readyInPart reports whether the last check was a full one that did not measure everything, such
// as one of the microphone alone: what was not measured is unknown, not good. The headline of
// older reports is not known.
func (p ParticipantState) readyInPart() bool {
	return p.Full != nil && p.Last.ID == p.Full.ReportID && p.Last.Headline != "" && p.Last.Headline != string(report.Ready)
}

// Roll is the roll call of a session.
type Roll struct {
	Since   time.Time // checks count from here on
	Members []RollMember
	Counts  map[RollState]int
}

// RollMember is a member with their state.
type RollMember struct {
	ParticipantState
	State RollState
}

// CallRoll sorts the members of a council for a session: worst first and, within a
// state, by name, so that rows keep their places.
func CallRoll(members []ParticipantState, since time.Time) Roll {
	roll := Roll{Since: since, Members: make([]RollMember, 0, len(members)), Counts: map[RollState]int{}}
	for _, p := range members {
		m := RollMember{p, RollStateOf(p, since)}
		roll.Members = append(roll.Members, m)
		roll.Counts[m.State]++
	}
	slices.SortFunc(roll.Members, RollMember.Compare)
	return roll
}

// Compare returns the order of two members in a roll call.
func (m RollMember) Compare(o RollMember) int {
	states := RollStates()
	return cmp.Or(cmp.Compare(slices.Index(states, m.State), slices.Index(states, o.State)),
		cmp.Compare(Rank(m.Verdict), Rank(o.Verdict)),
		strings.Compare(NameKey(m.Name), NameKey(o.Name)), strings.Compare(m.ID, o.ID))
}
