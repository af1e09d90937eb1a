package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/store"
)

const (
	// lateSessionsEvery is how often the sessions are read. Staff, imports, other collectors and
	// the command line enter them directly into the database.
	lateSessionsEvery = 20 * time.Second
	// announceWithin is how long before its start a changed session is announced. Earlier changes
	// reach the agents by their own requests, at least once a day.
	announceWithin = 24 * time.Hour
	// maxSpread is the time over which the agents of a session spread their requests.
	maxSpread = 15 * time.Minute
	// beforeCheck is the time that an agent needs from the request to the start of its check.
	beforeCheck = 2 * time.Minute
)

// lateSessions announces sessions that were entered, moved or cancelled shortly before their start
// to the connected agents of their members.
type lateSessions struct {
	store  store.Councils
	agents *live.Agents
	now    func() time.Time
	log    *slog.Logger

	known map[string]announcedSession // by id; nil before the first reading
	until time.Time                   // up to which starts the known ones are complete
}

// announcedSession is what agents learn of a session.
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

// check compares the sessions of the next day with those of the previous call.
func (l *lateSessions) check(ctx context.Context) error {
	now := l.now()
	found, err := l.read(ctx, now)
	if err != nil {
		return err
	}
	known, until := l.known, l.until
	l.known, l.until = found, now.Add(announceWithin)
	if known == nil {
		return nil // agents learn of them when they connect
	}
	councils := map[string]time.Time{} // to the next start that has changed
	changed := func(s announcedSession) {
		if at, ok := councils[s.council]; !ok || s.startsAt.Before(at) {
			councils[s.council] = s.startsAt
		}
	}
	for id, s := range found {
		old, was := known[id]
		switch {
		case was && old == s:
		case !was && s.startsAt.After(until): // its start came within a day only by time
		case !was && s.cancelled:
		default:
			changed(s)
		}
	}
	for id, old := range known {
		if _, is := found[id]; !is && old.closesAt.After(now) && !old.cancelled { // removed, or moved to a later day
			changed(old)
		}
	}
	for council, start := range councils {
		if err := l.announce(ctx, council, start.Sub(now)); err != nil {
			l.known, l.until = known, until // the next call tries again
			return err
		}
	}
	return nil
}

// announce asks the members of a council to request their sessions, early enough for a check before
// a start.
func (l *lateSessions) announce(ctx context.Context, council string, startsIn time.Duration) error {
	members, _, err := l.store.CouncilMembers(ctx, council)
	if err != nil {
		return err
	}
	ids := make(map[string]bool, len(members))
	for _, m := range members {
		ids[m.ID] = true
	}
	within := max(time.Second, min(maxSpread, (startsIn-beforeCheck)/2))
	l.agents.AnnounceSessions(ids, within)
	return nil
}

// read returns the sessions that are not over and start within a day.
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
