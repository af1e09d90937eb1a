package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

// listedCouncil is a council in the JSON list.
type listedCouncil struct {
	Council string `json:"council"` // id
	Name    string `json:"name"`
	Members int    `json:"members"`
}

func councilAdd(ctx context.Context, t terminal, in *invocation) error {
	return in.withStore(ctx, t, func(s *sqlstore.Store) error {
		c := store.Council{ID: uuid.NewString(), Name: strings.TrimSpace(in.args[0]), CreatedAt: time.Now()}
		err := s.AddCouncil(ctx, c)
		if errors.Is(err, store.ErrExists) {
			return usagef("there is a council %.80q already: 'tonprobe-collector council list' shows all", c.Name)
		}
		if err != nil {
			return err
		}
		if in.json {
			return printJSON(t.out, listedCouncil{Council: c.ID, Name: c.Name})
		}
		_, err = fmt.Fprintf(t.out, "%s (%s)\n\nMembers:  tonprobe-collector council member add %s PARTICIPANT\nSessions: tonprobe-collector session add %s --at \"2026-12-01 18:00\" --hours 3\n",
			c.Name, c.ID, shellWord(c.Name), shellWord(c.Name))
		return err
	})
}

// shellWord returns a text as one word of a POSIX shell.
func shellWord(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

func councilList(ctx context.Context, t terminal, in *invocation) error {
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		list := []listedCouncil{}
		for after := ""; ; {
			page, err := s.CouncilPage(ctx, after, store.MaxPage)
			if err != nil {
				return err
			}
			for _, c := range page.Councils {
				members, _, err := s.CouncilMembers(ctx, c.ID)
				if err != nil {
					return err
				}
				list = append(list, listedCouncil{c.ID, c.Name, len(members)})
			}
			if after = page.Next; after == "" {
				break
			}
		}
		if in.json {
			return printJSON(t.out, list)
		}
		tw := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(tw, "NAME\tMEMBERS\tID")
		for _, l := range list {
			_, _ = fmt.Fprintf(tw, "%s\t%d\t%s\n", l.Name, l.Members, l.Council)
		}
		return tw.Flush()
	})
}

func councilRenameFlags(in *invocation) { in.flags.StringVar(&in.name, "name", "", "the new `name`") }

func councilRename(ctx context.Context, t terminal, in *invocation) error {
	if in.name == "" {
		return usagef("the new name is missing: --name 'Stadtrat'")
	}
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		c, err := findCouncil(ctx, s, in.args[0])
		if err != nil {
			return err
		}
		if err := s.RenameCouncil(ctx, c.ID, in.name); err != nil {
			return err
		}
		_, err = fmt.Fprintf(t.out, "%s is now %s.\n", c.Name, in.name)
		return err
	})
}

func councilRemoveFlags(in *invocation) {
	in.flags.BoolVar(&in.yes, "yes", false, "remove without showing first what would go")
}

func councilRemove(ctx context.Context, t terminal, in *invocation) error {
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		c, err := findCouncil(ctx, s, in.args[0])
		if err != nil {
			return err
		}
		if !in.yes {
			return usagef("this removes %s (%s) with all its sessions; its members remain participants: repeat it with --yes", c.Name, c.ID)
		}
		if err := s.RemoveCouncil(ctx, c.ID); err != nil {
			return err
		}
		_, err = fmt.Fprintf(t.out, "%s is removed.\n", c.Name)
		return err
	})
}

func councilMemberAdd(ctx context.Context, t terminal, in *invocation) error {
	return in.withMember(ctx, t, func(s *sqlstore.Store, c store.Council, p store.ParticipantState) error {
		if err := s.AddCouncilMember(ctx, c.ID, p.ID); err != nil {
			return err
		}
		_, err := fmt.Fprintf(t.out, "%s is a member of %s.\n", p.Name, c.Name)
		return err
	})
}

func councilMemberRemove(ctx context.Context, t terminal, in *invocation) error {
	return in.withMember(ctx, t, func(s *sqlstore.Store, c store.Council, p store.ParticipantState) error {
		err := s.RemoveCouncilMember(ctx, c.ID, p.ID)
		if errors.Is(err, store.ErrNotFound) {
			return usagef("%s is not a member of %s: 'tonprobe-collector council member list %s' shows the members", p.Name, c.Name, shellWord(c.Name))
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(t.out, "%s is no longer a member of %s.\n", p.Name, c.Name)
		return err
	})
}

// withMember finds the council and the participant of the command line.
func (in *invocation) withMember(ctx context.Context, t terminal, use func(*sqlstore.Store, store.Council, store.ParticipantState) error) error {
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		c, err := findCouncil(ctx, s, in.args[0])
		if err != nil {
			return err
		}
		p, err := findParticipant(ctx, s, in.args[1])
		if err != nil {
			return err
		}
		return use(s, c, p)
	})
}

func councilMemberList(ctx context.Context, t terminal, in *invocation) error {
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	since := time.Now().Add(-c.FreshFor)
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		council, err := findCouncil(ctx, s, in.args[0])
		if err != nil {
			return err
		}
		members, _, err := s.CouncilMembers(ctx, council.ID)
		if err != nil {
			return err
		}
		list := []listed{}
		for _, m := range store.CallRoll(members, since).Members {
			list = append(list, listedOf(m.ParticipantState, since))
		}
		if in.json {
			return printJSON(t.out, list)
		}
		return printList(t.out, list, c.TimeZone)
	})
}

// findCouncil finds a council by id or by name.
func findCouncil(ctx context.Context, s *sqlstore.Store, which string) (store.Council, error) {
	c, err := s.CouncilNamed(ctx, which)
	if errors.Is(err, store.ErrNotFound) {
		c, err = s.Council(ctx, which)
	}
	if errors.Is(err, store.ErrNotFound) {
		return c, usagef("there is no council %.80q: 'tonprobe-collector council list' shows names and ids", which)
	}
	return c, err
}
