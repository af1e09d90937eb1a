package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/tonprobe/tonprobe/server/backup"
	"github.com/tonprobe/tonprobe/server/datadir"
	"github.com/tonprobe/tonprobe/server/privacy"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

func writeBackup(ctx context.Context, t terminal, in *invocation) error {
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		m := backup.Manifest{CreatedAt: time.Now().UTC(), Program: programVersion()}
		if c.DatabaseURL != "" {
			m.Database = backup.DatabasePostgres
		}
		if err := backup.Write(ctx, c.DataDir, s.Backup, in.args[0], m); err != nil {
			return err
		}
		_, err := fmt.Fprintf(t.out, "Saved to %s. It contains everything that 'restore' needs: personal data and the\n"+
			"secret keys of this collector. Keep it where only you can read it.\n", in.args[0])
		return err
	})
}

func restoreFlags(in *invocation) {
	in.flags.BoolVar(&in.overwrite, "overwrite", false, "replace a collector's data: a file is put aside, the content of a PostgreSQL database is lost")
	in.flags.StringVar(&in.erased, "erased", "", "one more `file` erased.txt with the people whom the backup must not bring back")
}

// postgresServer is the database of a collector, for backup.RestoreServer.
type postgresServer struct {
	address   string
	overwrite bool
}

// Check implements backup.Server.
func (p postgresServer) Check(ctx context.Context, dump string) error {
	return sqlstore.CheckRestorePostgres(ctx, p.address, dump, p.overwrite)
}

// Load implements backup.Server.
func (p postgresServer) Load(ctx context.Context, dump string) error {
	return sqlstore.RestorePostgres(ctx, p.address, dump, p.overwrite)
}

// goneBefore returns the erased people who must not be restored: those in the
// list beside the data, in the file of --erased, and in the database that is replaced. Before
// it returns, it adds all of them to the list beside the data, so that the next start of the
// collector completes a restoration that was killed.
func (in *invocation) goneBefore(ctx context.Context, t terminal, c settings) (store.TombstoneList, error) {
	gone, err := privacy.ReadList(c.DataDir)
	if err != nil {
		return gone, err
	}
	if in.erased != "" {
		b, err := os.ReadFile(in.erased)
		if err != nil {
			return gone, fmt.Errorf("read the erased people: %w", err)
		}
		more, err := privacy.ParseList(b)
		if err != nil {
			return gone, fmt.Errorf("%s: %w", in.erased, err)
		}
		gone = privacy.Merge(gone, more)
	}
	if in.overwrite {
		var more store.TombstoneList
		if c.DatabaseURL != "" {
			more, err = sqlstore.TombstonesOfPostgres(ctx, c.DatabaseURL)
		} else {
			more, err = sqlstore.TombstonesOfSQLite(ctx, datadir.Database(c.DataDir))
		}
		if err != nil { // may be the reason for the restoration
			_, _ = fmt.Fprintf(t.err, "Who was erased could not be read from the database that is replaced (%s). The list %s is used instead.\n", oneLine(err), datadir.Erased(c.DataDir))
		}
		gone = privacy.Merge(gone, more)
	}
	return gone, privacy.AddToList(ctx, c.DataDir, gone)
}

// eraseIn erases people again in a restored database.
func eraseIn(ctx context.Context, gone store.TombstoneList, open func(context.Context) (*sqlstore.Store, error)) (erased int, err error) {
	if len(gone.Hashes)+len(gone.Names) == 0 {
		return 0, nil
	}
	s, err := open(ctx)
	if err != nil {
		return 0, err
	}
	erased, err = s.AddTombstones(ctx, gone, time.Now())
	return erased, errors.Join(err, s.Close())
}

func restoreBackup(ctx context.Context, t terminal, in *invocation) error {
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	if err := datadir.Make(c.DataDir); err != nil {
		return err
	}
	lock, err := datadir.Hold(c.DataDir)
	if err != nil {
		return err
	}
	var r backup.Restored
	gone, err := in.goneBefore(ctx, t, c)
	erased := 0
	switch {
	case err != nil:
	case c.DatabaseURL != "":
		r, err = backup.RestoreServer(ctx, in.args[0], c.DataDir, postgresServer{c.DatabaseURL, in.overwrite}, time.Now())
		if err == nil {
			erased, err = eraseIn(ctx, gone, func(ctx context.Context) (*sqlstore.Store, error) {
				return sqlstore.OpenPostgres(ctx, c.DatabaseURL, sqlstore.Options{Log: logger(t, c)})
			})
		}
	default:
		// The people are erased before the database is put in place.
		verify := func(ctx context.Context, file string) error {
			err := sqlstore.VerifySQLite(ctx, file)
			if err == nil {
				erased, err = eraseIn(ctx, gone, func(ctx context.Context) (*sqlstore.Store, error) {
					return sqlstore.OpenSQLite(ctx, file, sqlstore.Options{Log: logger(t, c)})
				})
			}
			return err
		}
		r, err = backup.Restore(ctx, in.args[0], c.DataDir, verify, in.overwrite, time.Now())
	}
	if err := errors.Join(err, lock.Close()); err != nil {
		return err
	}
	from := "of an older version of this program"
	if !r.Manifest.CreatedAt.IsZero() {
		from = "of " + r.Manifest.CreatedAt.In(c.TimeZone).Format("2 January 2006, 15:04") + " (" + c.TimeZone.String() + ")"
	}
	into := c.DataDir
	if c.DatabaseURL != "" {
		into = "PostgreSQL, and its keys into " + c.DataDir
	}
	_, err = fmt.Fprintf(t.out, "Restored the backup %s into %s.\n", from, into)
	if erased > 0 {
		_, _ = fmt.Fprintf(t.out, "Participants who were erased since this backup, and are erased again: %d.\n", erased)
	}
	if r.DatabaseAside != "" {
		_, _ = fmt.Fprintf(t.out, "The previous database is kept in %s.\n", r.DatabaseAside)
	}
	if r.Aside != "" {
		_, _ = fmt.Fprintf(t.out, "The previous keys are kept in %s.\n", r.Aside)
	}
	if !r.Keys {
		_, _ = fmt.Fprintln(t.out, "It contains no keys. Computers that trusted the collector's own certificate have to be\n"+
			"enrolled again, unless the tls folder of the old collector is put back beside the database.")
	}
	_, _ = fmt.Fprintln(t.out, "Start the collector as before. Computers that were enrolled after this backup have to be\nenrolled again.")
	return err
}
