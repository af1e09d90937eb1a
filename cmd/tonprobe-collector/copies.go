package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tonprobe/tonprobe/server/privacy"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

// allCopies is the argument of "copies remove" for all of them.
const allCopies = "all"

func copiesList(_ context.Context, t terminal, in *invocation) error {
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	copies, err := privacy.Copies(c.DataDir)
	if err != nil {
		return err
	}
	if in.json {
		return printJSON(t.out, append([]privacy.Copy{}, copies...))
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	for _, copied := range copies {
		if _, err := fmt.Fprintf(w, "%s\t%s\t%d MB\n", copied.Name, ageInDays(copied.MadeAt), (copied.Bytes+999_999)/1_000_000); err != nil {
			return err
		}
	}
	return w.Flush()
}

// ageInDays says how old a copy is.
func ageInDays(at time.Time) string {
	if at.IsZero() {
		return "of unknown age"
	}
	return fmt.Sprintf("%d days old", max(0, int(time.Since(at)/(24*time.Hour))))
}

// copiesRemove deletes one copy of the database, or all.
func copiesRemove(ctx context.Context, t terminal, in *invocation) error {
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	names := []string{in.args[0]}
	if in.args[0] == allCopies { // without the one that opening a database of an older version makes
		copies, err := privacy.Copies(c.DataDir)
		if err != nil {
			return err
		}
		names = nil
		for _, copied := range copies {
			names = append(names, copied.Name)
		}
	}
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		for _, name := range names {
			err := privacy.DeleteCopy(c.DataDir, name)
			if errors.Is(err, privacy.ErrNoCopy) {
				return usagef("there is no copy %.120q: 'tonprobe-collector copies list' shows them", name)
			}
			if err != nil {
				return fmt.Errorf("remove a copy of the database: %w", err)
			}
			if err := record(ctx, s, store.AuditCopyDeleted, "", name); err != nil {
				return err
			}
			if _, err := fmt.Fprintf(t.out, "%s is removed.\n", name); err != nil {
				return err
			}
		}
		return nil
	})
}

// noteCopies names the copies of the database beside it, which contain erased people.
func noteCopies(w io.Writer, dir string) {
	copies, err := privacy.Copies(dir)
	if err != nil {
		_, _ = fmt.Fprintln(w, "Whether copies of the database still contain the person is unknown:", oneLine(err))
	}
	var lines []string
	for _, c := range copies {
		lines = append(lines, c.Name+", "+ageInDays(c.MadeAt))
	}
	if len(lines) > 0 {
		_, _ = fmt.Fprintf(w, "These copies of the database still contain the person. 'tonprobe-collector copies remove %s' deletes them:\n  %s\n", allCopies, strings.Join(lines, "\n  "))
	}
}
