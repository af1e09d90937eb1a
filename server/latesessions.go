package server

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/store"
)

const (
	// lateSessionsEvery is how often the sessions are read. Staff, imports, other collectors and
	// the command line enter them directly into the database.
	lateSessionsEvery = 20 * time.Second
	// announceWithin is how long before its start a changed session is announced. Changes that are made
	// earlier reach the agents with their regular requests, at least once a day.
	announceWithin = 24 * time.Hour
	// maxSpread is the time over which the agents of a session spread their requests.
	maxSpread = 15 * time.Minute
	// beforeCheck is the time that an agent needs from the request to the start of its check.
	beforeCheck = 2 * time.Minute
	// spreadRunning replaces maxSpread if it is too late for a check, as during a session: an agent
	// must still learn soon that it must not send anything.
	spreadRunning = time.Minute
)

// lateSessions sends the connected agents of a council's members an announcement when a session was
// entered, moved or cancelled shortly before its start, and to the agents of those who became or ceased
// to be members.
type lateSessions struct {
	store  store.Councils
	agents *live.Agents
	now    func() time.Time
	log    *slog.Logger

	known   map[string]announcedSession // by id; nil before the first reading
	until   time.Time                   // known contains all sessions that start before this time
	members map[string][]string         // by council of the known sessions, sorted
}

// announcedSession is what is sent to agents about a session.
type announcedSession struct {
	council, target, profile string
	startsAt, closesAt       time.Time
	cancelled                bool
}

// run announces changes until ctx is done.
func (l *lateSessions) run(ctx context.Context) {
	every := time.NewTicker(lateSessionsEvery)
	defer every.Stop()
	for {
		if err := l.check(ctx); err != nil && ctx.Err() == nil {
			l.log.Warn("changed sessions could not be announced", "err", err)
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
	}
}

// check compares the sessions of the next day, and the members of their councils, with those of the
// previous call.
func (l *lateSessions) check(ctx context.Context) error {
	now := l.now()
	found, err := l.read(ctx, now)
	if err != nil {
		return err
	}
	councils := map[string]time.Time{} // by council: the earliest start that has changed
	changed := func(s announcedSession) {
		if at, ok := councils[s.council]; !ok || s.startsAt.Before(at) {
			councils[s.council] = s.startsAt
		}
	}
	for id, s := range found {
		old, was := l.known[id]
		switch {
		case was && old == s:
		case !was && s.startsAt.After(l.until): // it was not changed; only time has passed
		case !was && s.cancelled:
		default:
			changed(s)
		}
	}
	for id, old := range l.known {
		if _, is := found[id]; !is && old.closesAt.After(now) && !old.cancelled { // removed, or moved to a later day
			changed(old)
		}
	}
	starts := map[string]time.Time{} // by council: the start of its next session
	for _, s := range found {
		if at, ok := starts[s.council]; !s.cancelled && (!ok || s.startsAt.Before(at)) {
			starts[s.council] = s.startsAt
		}
	}
	members, err := l.membersOf(ctx, starts, councils)
	if err != nil {
		return err
	}
	if l.known != nil { // agents request the first ones when they connect
		for council, start := range councils {
			l.announce(slices.Concat(members[council], l.members[council]), start.Sub(now))
		}
		for council, start := range starts {
			if _, done := councils[council]; !done && l.members[council] != nil {
				l.announce(differing(members[council], l.members[council]), start.Sub(now))
			}
		}
	}
	l.known, l.until, l.members = found, now.Add(announceWithin), members
	return nil
}

// membersOf reads the members of councils.
func (l *lateSessions) membersOf(ctx context.Context, councils ...map[string]time.Time) (map[string][]string, error) {
	members := map[string][]string{}
	for _, some := range councils {
		for council := range some {
			if members[council] != nil {
				continue
			}
			ids, err := l.store.CouncilMemberIDs(ctx, council)
			if err != nil {
				return nil, err
			}
			slices.Sort(ids)
			members[council] = append([]string{}, ids...) // not nil, even if there is none
		}
	}
	return members, nil
}

// differing returns the elements that only one of two sorted lists contains.
func differing(a, b []string) []string {
	var ids []string
	for _, lists := range [][2][]string{{a, b}, {b, a}} {
		for _, id := range lists[0] {
			if _, both := slices.BinarySearch(lists[1], id); !both {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// announce asks participants to request their sessions, early enough for a check before a start.
func (l *lateSessions) announce(participantIDs []string, startsIn time.Duration) {
	if len(participantIDs) == 0 {
		return
	}
	ids := make(map[string]bool, len(participantIDs))
	for _, id := range participantIDs {
		ids[id] = true
	}
	within := spreadRunning
	if left := startsIn - beforeCheck; left > 0 {
		within = max(time.Second, min(maxSpread, left/2))
	}
	l.agents.AnnounceSessions(ids, within)
}

// read returns the sessions that have not ended and start within a day.
func (l *lateSessions) read(ctx context.Context, now time.Time) (map[string]announcedSession, error) {
	found := map[string]announcedSession{}
	q := store.SessionQuery{From: now, Limit: store.MaxPage}
	for {
		page, err := l.store.CouncilSessions(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, s := range page.Sessions {
			if s.StartsAt.After(now.Add(announceWithin)) {
				return found, nil
			}
			found[s.ID] = announcedSession{council: s.CouncilID, target: s.Target, profile: s.Profile,
				startsAt: s.StartsAt, closesAt: s.Closes(), cancelled: s.Cancelled}
		}
		if page.Next == "" {
			return found, nil
		}
		q.After = page.Next
	}
}
