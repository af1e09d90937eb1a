package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

func participantEditFlags(in *invocation) {
	in.flags.StringVar(&in.name, "name", "", "another `name`")
	in.flags.StringVar(&in.phone, "phone", "", "another telephone `number`, or none")
}

func participantEdit(ctx context.Context, t terminal, in *invocation) error {
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		p, err := findParticipant(ctx, s, in.args[0])
		if err != nil {
			return err
		}
		name, phone := p.Name, p.Phone
		if in.name != "" {
			name = in.name
		}
		switch in.phone {
		case "":
		case "none":
			phone = ""
		default:
			phone = in.phone
		}
		if name == p.Name && phone == p.Phone {
			return usagef("nothing to change: give --name or --phone")
		}
		d := enroll.Enroller{Store: s, Now: time.Now, Random: rand.Reader}
		same, err := d.Duplicates(ctx, name, phone, p.ID)
		if err != nil {
			return err
		}
		if err := d.Edit(ctx, p.ID, name, phone); err != nil {
			return err
		}
		if err := record(ctx, s, store.AuditParticipantEdited, p.ID, ""); err != nil {
			return err
		}
		noteDuplicates(t.err, same)
		noteName(t.err, name)
		_, err = fmt.Fprintf(t.out, "%s (%s), telephone %s\n", name, p.ID, orDash(phone))
		return err
	})
}

func participantComputers(ctx context.Context, t terminal, in *invocation) error {
	type computer struct {
		ID         string    `json:"computer"`
		OS         string    `json:"os"`
		Arch       string    `json:"arch"`
		Version    string    `json:"version"`
		EnrolledAt time.Time `json:"enrolled_at"`
		LastSeenAt time.Time `json:"last_seen_at"`
		Revoked    bool      `json:"revoked"`
	}
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		p, err := findParticipant(ctx, s, in.args[0])
		if err != nil {
			return err
		}
		agents, err := s.Agents(ctx, p.ID)
		if err != nil {
			return err
		}
		list := []computer{}
		for _, a := range agents {
			list = append(list, computer{a.ID, a.OS, a.Arch, a.Version, a.CreatedAt, a.LastSeenAt, !a.RevokedAt.IsZero()})
		}
		if in.json {
			return printJSON(t.out, list)
		}
		tw := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintf(tw, "COMPUTER\tSYSTEM\tVERSION\tENROLLED (%s)\tLAST SEEN\tSTATE\n", c.TimeZone)
		for _, one := range list {
			state := "enrolled"
			if one.Revoked {
				state = "revoked"
			}
			_, _ = fmt.Fprintf(tw, "%s\t%s/%s\t%s\t%s\t%s\t%s\n", one.ID, one.OS, one.Arch, one.Version, one.EnrolledAt.In(c.TimeZone).Format(localMinute), one.LastSeenAt.In(c.TimeZone).Format(localMinute), state)
		}
		return tw.Flush()
	})
}

func computerRenew(ctx context.Context, t terminal, in *invocation) error {
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		if err := s.AskForRenewal(ctx, in.args[0], time.Now()); err != nil {
			return fmt.Errorf("%w: 'tonprobe-collector participant computers NAME' shows the ids", err)
		}
		_, err := fmt.Fprintln(t.out, "This computer replaces its token the next time it contacts the collector. Until then, its present token is valid.")
		return err
	})
}

func computerRevoke(ctx context.Context, t terminal, in *invocation) error {
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		if err := s.RevokeAgent(ctx, in.args[0], time.Now()); err != nil {
			return fmt.Errorf("%w: 'tonprobe-collector participant computers NAME' shows the ids", err)
		}
		_, err := fmt.Fprintln(t.out, "This computer can no longer deliver reports. It can be set up again with a new code.")
		return err
	})
}
