package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/server/backup"
	"github.com/tonprobe/tonprobe/server/datadir"
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
	if c.DatabaseURL != "" {
		r, err = backup.RestoreServer(ctx, in.args[0], c.DataDir, postgresServer{c.DatabaseURL, in.overwrite}, time.Now())
	} else {
		r, err = backup.Restore(ctx, in.args[0], c.DataDir, sqlstore.VerifySQLite, in.overwrite, time.Now())
	}
	if err := errors.Join(err, lock.Close()); err != nil {
		return err
	}
	from := "of an older version of this program"
	if !r.Manifest.CreatedAt.IsZero() {
		from = "of " + r.Manifest.CreatedAt.Local().Format("2 January 2006, 15:04")
	}
	into := c.DataDir
	if c.DatabaseURL != "" {
		into = "PostgreSQL, and its keys into " + c.DataDir
	}
	_, err = fmt.Fprintf(t.out, "Restored the backup %s into %s.\n", from, into)
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
