package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/privacy"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

func eraseFlags(in *invocation) {
	in.flags.BoolVar(&in.yes, "yes", false, "erase; without it, only show what would be erased")
}

func eraseParticipant(ctx context.Context, t terminal, in *invocation) error {
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		p, err := findParticipant(ctx, s, in.args[0])
		if err != nil {
			return err
		}
		if !in.yes {
			if err := printErasure(ctx, t.out, s, p); err != nil {
				return err
			}
			return usagef("nothing is erased yet: repeat it with --yes")
		}
		if err := erase(ctx, t, s, c, p); err != nil {
			return err
		}
		_, err = fmt.Fprintf(t.out, "%s is erased.\n", p.Name)
		return err
	})
}

// erase erases a participant, and notes it in the audit log.
func erase(ctx context.Context, t terminal, s *sqlstore.Store, c settings, p store.ParticipantState) error {
	same, err := enroll.Enroller{Store: s, Now: time.Now}.Duplicates(ctx, p.Name, p.Phone, p.ID)
	if err != nil {
		return err
	}
	err = privacy.Eraser{Store: s, Dir: c.DataDir, Now: time.Now}.Erase(ctx, p.ID)
	unlisted, _ := errors.AsType[*privacy.ListError](err)
	if err != nil && unlisted == nil {
		return err
	}
	if err := record(ctx, s, store.AuditParticipantDeleted, p.ID, ""); err != nil {
		return err
	}
	noteDuplicates(t.err, same)
	noteCopies(t.err, c.DataDir)
	return err
}

// printErasure prints what belongs to a participant.
func printErasure(ctx context.Context, w io.Writer, s *sqlstore.Store, p store.ParticipantState) error {
	reports, err := s.CountReports(ctx, p.ID)
	if err != nil {
		return err
	}
	agents, err := s.Agents(ctx, p.ID)
	if err != nil {
		return err
	}
	cases, err := s.ParticipantCases(ctx, p.ID, store.MaxPage)
	if err != nil {
		return err
	}
	councils, err := s.CouncilsOf(ctx, p.ID)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s (%s), telephone %s\n"+
		"  reports: %d, computers: %d, cases that staff worked on: %d, councils: %d\n"+
		"Also erased: codes, what disturbance records say about the person, and remarks in them that contain\n"+
		"the last name. The checksums of the records stay valid. The audit log keeps its entries, without the id.\n",
		p.Name, p.ID, orDash(p.Phone), reports, len(agents), len(cases), len(councils))
	return err
}
