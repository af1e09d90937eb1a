package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

func participantAddFlags(in *invocation) {
	in.flags.StringVar(&in.phone, "phone", "", "telephone `number` for support")
	participantCodeFlags(in)
}

func participantCodeFlags(in *invocation) {
	in.flags.IntVar(&in.validDays, "valid-days", validDaysUnset, "`days` that the code is valid, at most 365 (default: code_days of the configuration, 14)")
	jsonFlag(in)
}

func participantListFlags(in *invocation) {
	in.flags.StringVar(&in.search, "search", "", "only those with this `text` in their name, or this case code")
	jsonFlag(in)
}

// validDaysUnset is the value of --valid-days if it is not given.
const validDaysUnset = -1

func (in *invocation) enroller(s *sqlstore.Store, c settings) (enroll.Enroller, error) {
	d := enroll.Enroller{Store: s, Now: time.Now, Random: rand.Reader, CodeTTL: c.CodeTTL}
	if in.validDays == validDaysUnset {
		return d, nil
	}
	if in.validDays < 1 || in.validDays > enroll.MaxCodeDays {
		return enroll.Enroller{}, usagef("a code is good for 1 to %d days: --valid-days=%d", enroll.MaxCodeDays, in.validDays)
	}
	d.CodeTTL = time.Duration(in.validDays) * 24 * time.Hour
	return d, nil
}

func participantAdd(ctx context.Context, t terminal, in *invocation) error {
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	return in.withStore(ctx, t, func(s *sqlstore.Store) error {
		d, err := in.enroller(s, c)
		if err != nil {
			return err
		}
		same, err := d.Duplicates(ctx, in.args[0], in.phone, "")
		if err != nil {
			return err
		}
		i, err := d.Invite(ctx, in.args[0], in.phone)
		if err != nil {
			return err
		}
		// The code is known only now: whatever else fails, it is printed.
		recorded := record(context.WithoutCancel(ctx), s, store.AuditParticipantAdded, i.Participant.ID, "")
		if noteDuplicates(t.err, same); len(same) > 0 {
			_, _ = fmt.Fprintf(t.err, "For a second computer of the same person use 'participant code', for a mistake 'participant delete %s'.\n", i.Participant.ID)
		}
		at, err := s.ErasedPerson(ctx, i.Participant.Name, "")
		switch {
		case err == nil:
			_, _ = fmt.Fprintf(t.err, "Note: a person with this name was erased on %s. This is a new participant, without the old data.\n", at.In(c.TimeZone).Format("2 January 2006"))
		case errors.Is(err, store.ErrNotFound):
			err = nil
		}
		noteName(t.err, i.Participant.Name)
		return errors.Join(printInvitation(t.out, i, addressOf(c.DataDir), c.TimeZone, in.json), recorded, err)
	})
}

func participantCode(ctx context.Context, t terminal, in *invocation) error {
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		p, err := findParticipant(ctx, s, in.args[0])
		if err != nil {
			return err
		}
		d, err := in.enroller(s, c)
		if err != nil {
			return err
		}
		i, err := d.Code(ctx, p.Participant)
		if err != nil {
			return err
		}
		recorded := record(context.WithoutCancel(ctx), s, store.AuditCodeCreated, p.ID, "")
		return errors.Join(printInvitation(t.out, i, addressOf(c.DataDir), c.TimeZone, in.json), recorded)
	})
}

func printInvitation(w io.Writer, i enroll.Invitation, at address, zone *time.Location, asJSON bool) error {
	if asJSON {
		return printJSON(w, struct {
			Participant string    `json:"participant"` // id
			Name        string    `json:"name"`
			Code        string    `json:"code"`
			Link        string    `json:"link,omitempty"`
			ExpiresAt   time.Time `json:"expires_at"`
			Server      string    `json:"server,omitempty"`
			CA          string    `json:"ca,omitempty"` // path on this machine
		}{i.Participant.ID, i.Participant.Name, i.Code, at.link(i.Code), i.ExpiresAt, at.URL, at.CA})
	}
	_, err := fmt.Fprintf(w, "%s (%s)\n\nCode:        %s\nValid until: %s, for one computer\n\nOn that computer: %s\n",
		i.Participant.Name, i.Participant.ID, i.Code, i.ExpiresAt.In(zone).Format("2 January 2006"), at.enrolCommand(i.Code))
	return err
}

// listed is a participant in the JSON list.
type listed struct {
	Participant string `json:"participant"`
	Name        string `json:"name"`
	Phone       string `json:"phone"`
	Blocked     bool   `json:"blocked"`
	Enrolled    bool   `json:"enrolled"`
	// State is blocked, not_enrolled, never_checked, too_long_ago, or the verdict that counts.
	State      string     `json:"state"`
	LastSeenAt *time.Time `json:"last_seen_at"`
	Last       *lastCheck `json:"last_check"`
}

type lastCheck struct {
	Report     string    `json:"report"`
	Case       string    `json:"case"`
	CheckedAt  time.Time `json:"checked_at"` // server's clock
	ReceivedAt time.Time `json:"received_at"`
	Verdict    string    `json:"verdict"`
	Cause      string    `json:"cause"`
}

func participantList(ctx context.Context, t terminal, in *invocation) error {
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	since := time.Now().Add(-c.FreshFor)
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		list := []listed{}
		q := store.StateQuery{Search: in.search, Limit: store.MaxPage}
		for {
			page, err := s.ParticipantStates(ctx, q)
			if err != nil {
				return err
			}
			for _, p := range page.States {
				list = append(list, listedOf(p, since))
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if in.json {
			return printJSON(t.out, list)
		}
		return printList(t.out, list, c.TimeZone)
	})
}

// listedOf returns the entry of a participant. Checks before since do not count.
func listedOf(p store.ParticipantState, since time.Time) listed {
	l := listed{Participant: p.ID, Name: p.Name, Phone: p.Phone, Blocked: p.Blocked, Enrolled: p.Enrolled, State: string(p.Verdict)}
	switch {
	case p.Blocked:
		l.State = "blocked"
	case p.Last == nil && p.Enrolled:
		l.State = "never_checked"
	case p.Last == nil:
		l.State = "not_enrolled"
	case !p.Fresh(since):
		l.State = "too_long_ago"
	}
	if !p.LastSeenAt.IsZero() {
		l.LastSeenAt = &p.LastSeenAt
	}
	if p.Last != nil {
		l.Last = &lastCheck{Report: p.Last.ID, Case: p.Last.Case, CheckedAt: p.Last.CheckedAt, ReceivedAt: p.Last.ReceivedAt,
			Verdict: string(p.Last.Verdict), Cause: p.Last.Primary.Code}
	}
	return l
}

func printList(w io.Writer, list []listed, zone *time.Location) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(tw, "NAME\tSTATE\tLAST CHECK (%s)\tCASE\tCAUSE\tPHONE\tID\n", zone)
	for _, l := range list {
		at, code, cause := "-", "-", "-"
		if l.Last != nil {
			at, code = l.Last.CheckedAt.In(zone).Format(localMinute), l.Last.Case
			if l.Last.Cause != "" {
				cause = l.Last.Cause
			}
		}
		_, _ = fmt.Fprintln(tw, strings.Join([]string{l.Name, strings.ReplaceAll(l.State, "_", " "), at, code, cause, orDash(l.Phone), l.Participant}, "\t"))
	}
	return tw.Flush()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func participantBlock(ctx context.Context, t terminal, in *invocation) error {
	return setBlocked(ctx, t, in, true)
}

func participantUnblock(ctx context.Context, t terminal, in *invocation) error {
	return setBlocked(ctx, t, in, false)
}

func setBlocked(ctx context.Context, t terminal, in *invocation, blocked bool) error {
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		p, err := findParticipant(ctx, s, in.args[0])
		if err != nil {
			return err
		}
		if err := s.SetBlocked(ctx, p.ID, blocked); err != nil {
			return err
		}
		word, kind := "blocked", store.AuditParticipantBlocked
		if !blocked {
			word, kind = "unblocked", store.AuditParticipantUnblocked
		}
		if err := record(ctx, s, kind, p.ID, ""); err != nil {
			return err
		}
		_, err = fmt.Fprintf(t.out, "%s is %s.\n", p.Name, word)
		return err
	})
}

// findParticipant finds a participant by id, or by a unique name.
func findParticipant(ctx context.Context, s *sqlstore.Store, who string) (store.ParticipantState, error) {
	p, err := s.ParticipantState(ctx, who)
	if !errors.Is(err, store.ErrNotFound) {
		return p, err
	}
	page, err := s.ParticipantStates(ctx, store.StateQuery{Search: who, Limit: store.MaxPage})
	if err != nil {
		return p, err
	}
	var found []store.ParticipantState
	for _, p := range page.States {
		if p.Name == who {
			found = append(found, p)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return p, usagef("there is no participant %.80q: 'tonprobe-collector participant list' shows names and ids", who)
	}
	return p, usagef("%d participants are called %.80q: give the id, which 'tonprobe-collector participant list' shows", len(found), who)
}
