package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
	"github.com/tonprobe/tonprobe/server/target"
)

// sessionOptions are the options of "session add" and "session list".
type sessionOptions struct {
	at, title, target, profile, place, council string
	hours                                      float64
}

// localMinute is the form of a local time on the command line.
const localMinute = "2006-01-02 15:04"

func sessionAddFlags(in *invocation) {
	o := &in.session
	in.flags.StringVar(&o.at, "at", "", "start, as local `time` in the zone of the configuration: \"2026-12-01 18:00\"")
	in.flags.Float64Var(&o.hours, "hours", 0, "`length` in hours, at most 24 (default: not known)")
	in.flags.StringVar(&o.target, "target", "", "conference system (`name`, see 'target list'); agents check it before the session")
	in.flags.StringVar(&o.profile, "profile", "", "limits to judge by (`name`, see 'profile list'; default: those of the target)")
	in.flags.StringVar(&o.title, "title", "", "`title` of the session")
	in.flags.StringVar(&o.place, "place", "", "`place` of the session")
	jsonFlag(in)
}

func sessionListFlags(in *invocation) {
	in.flags.StringVar(&in.session.council, "council", "", "only sessions of this council (`name` or id)")
	jsonFlag(in)
}

// listedSession is a session in the JSON list. Times have the zone of the configuration.
type listedSession struct {
	Session     string     `json:"session"` // id
	Council     string     `json:"council"`
	CouncilName string     `json:"council_name"`
	Title       string     `json:"title"`
	StartsAt    time.Time  `json:"starts_at"`
	EndsAt      *time.Time `json:"ends_at"` // null if not known
	Target      string     `json:"target"`
	Profile     string     `json:"profile"`
	Place       string     `json:"place"`
	Cancelled   bool       `json:"cancelled"`
	Source      string     `json:"source,omitempty"`
}

func listedSessionOf(c store.CouncilSession, council string, zone *time.Location) listedSession {
	l := listedSession{Session: c.ID, Council: c.CouncilID, CouncilName: council, Title: c.Title, StartsAt: c.StartsAt.In(zone),
		Target: c.Target, Profile: c.Profile, Place: c.Place, Cancelled: c.Cancelled, Source: c.Source}
	if !c.EndsAt.IsZero() {
		end := c.EndsAt.In(zone)
		l.EndsAt = &end
	}
	return l
}

// span returns start and end in words.
func (l listedSession) span() string {
	start := l.StartsAt.Format(localMinute)
	if l.EndsAt == nil {
		return start
	}
	return start + l.EndsAt.Format(" - 15:04")
}

func sessionAdd(ctx context.Context, t terminal, in *invocation) error {
	o := in.session
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	start, err := localTime(o.at, c.TimeZone)
	if err != nil {
		return err
	}
	added := store.CouncilSession{ID: uuid.NewString(), Title: o.title, StartsAt: start.UTC(), Target: o.target, Profile: o.profile, Place: o.place}
	switch {
	case math.IsNaN(o.hours) || o.hours < 0 || o.hours > store.MaxSessionLength.Hours():
		return usagef("--hours is more than 0 and at most %g", store.MaxSessionLength.Hours())
	case o.hours > 0:
		added.EndsAt = added.StartsAt.Add(time.Duration(o.hours * float64(time.Hour))).Truncate(time.Second)
	}
	if !added.Closes().After(time.Now()) {
		return usagef("the session would be over already: --at %q is in the past", o.at)
	}
	if err := in.checkNames(t, &added); err != nil {
		return err
	}
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		council, err := findCouncil(ctx, s, in.args[0])
		if err != nil {
			return err
		}
		added.CouncilID = council.ID
		if err := s.AddCouncilSession(ctx, added); err != nil {
			return err
		}
		l := listedSessionOf(added, council.Name, c.TimeZone)
		if in.json {
			return printJSON(t.out, l)
		}
		_, err = fmt.Fprintf(t.out, "%s: %s, %s (%s)\n", council.Name, l.span(), c.TimeZone, added.ID)
		return err
	})
}

// localTime parses a local time. A time that the change to summer time skips is an error.
func localTime(text string, zone *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, usagef("the start is missing: --at \"2026-12-01 18:00\"")
	}
	text = strings.Replace(strings.TrimSpace(text), "T", " ", 1)
	at, err := time.ParseInLocation(localMinute, text, zone)
	if err != nil {
		return at, usagef("%.40q is not a time: write it as \"2026-12-01 18:00\"", text)
	}
	if at.Format(localMinute) != text {
		return at, usagef("%s does not exist in %s, because the clocks change: the hour after it is %s", text, zone, at.Format(localMinute))
	}
	return at, nil
}

// checkNames replaces the conference system by its exact name, and checks the profile.
func (in *invocation) checkNames(t terminal, c *store.CouncilSession) error {
	if c.Target != "" {
		file, err := in.targets(t)
		if err != nil {
			return err
		}
		known, err := file.Get(c.Target)
		if errors.Is(err, target.ErrNotFound) {
			return usagef("there is no target %.60q: 'tonprobe-collector target list' shows them, 'target add' adds one", c.Target)
		}
		if err != nil {
			return err
		}
		c.Target = known.Name
	}
	if c.Profile == "" {
		return nil
	}
	profiles, err := in.profiles(t)
	if err != nil {
		return err
	}
	_, err = profiles.Load(c.Profile)
	return err
}

func sessionList(ctx context.Context, t terminal, in *invocation) error {
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		q := store.SessionQuery{From: time.Now(), Limit: store.MaxPage}
		names := map[string]string{}
		if in.session.council != "" {
			council, err := findCouncil(ctx, s, in.session.council)
			if err != nil {
				return err
			}
			q.CouncilID = council.ID
		}
		list := []listedSession{}
		for {
			page, err := s.CouncilSessions(ctx, q)
			if err != nil {
				return err
			}
			for _, one := range page.Sessions {
				if _, known := names[one.CouncilID]; !known {
					council, err := s.Council(ctx, one.CouncilID)
					if err != nil {
						return err
					}
					names[one.CouncilID] = council.Name
				}
				list = append(list, listedSessionOf(one, names[one.CouncilID], c.TimeZone))
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if in.json {
			return printJSON(t.out, list)
		}
		tw := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintf(tw, "TIME (%s)\tCOUNCIL\tTITLE\tTARGET\tPLACE\tSTATE\tID\n", c.TimeZone)
		for _, l := range list {
			state := "planned"
			if l.Cancelled {
				state = "cancelled"
			}
			_, _ = fmt.Fprintln(tw, strings.Join([]string{l.span(), l.CouncilName, orDash(l.Title), orDash(l.Target), orDash(l.Place), state, l.Session}, "\t"))
		}
		return tw.Flush()
	})
}

func sessionCancel(ctx context.Context, t terminal, in *invocation) error {
	return in.withSession(ctx, t, func(s *sqlstore.Store, c store.CouncilSession) error {
		c.Cancelled, c.CancelledByStaff = true, true
		if err := s.ChangeCouncilSession(ctx, c); err != nil {
			return err
		}
		_, err := fmt.Fprintln(t.out, "The session is cancelled: agents make no check for it.")
		return err
	})
}

func sessionRemove(ctx context.Context, t terminal, in *invocation) error {
	return in.withSession(ctx, t, func(s *sqlstore.Store, c store.CouncilSession) error {
		if c.Source != "" {
			return usagef("this session comes from an import, which would add it again: 'tonprobe-collector session cancel %s' cancels it", c.ID)
		}
		if err := s.RemoveCouncilSession(ctx, c.ID); err != nil {
			return err
		}
		_, err := fmt.Fprintln(t.out, "The session is removed.")
		return err
	})
}

func (in *invocation) withSession(ctx context.Context, t terminal, use func(*sqlstore.Store, store.CouncilSession) error) error {
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		c, err := s.CouncilSession(ctx, in.args[0])
		if errors.Is(err, store.ErrNotFound) {
			return usagef("there is no session %.60q: 'tonprobe-collector session list' shows the ids", in.args[0])
		}
		if err != nil {
			return err
		}
		return use(s, c)
	})
}
