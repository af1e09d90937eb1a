package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/tonprobe/tonprobe/server/privacy"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

func exportFlags(in *invocation) {
	in.flags.StringVar(&in.output, "output", "", "`file` to write, or - for standard output (default: a new file in the current folder)")
}

func exportParticipant(ctx context.Context, t terminal, in *invocation) error {
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		found, err := findParticipant(ctx, s, in.args[0])
		if err != nil {
			return err
		}
		p, err := privacy.Collect(ctx, s, found.ID, time.Now())
		if err != nil {
			return err
		}
		var archive bytes.Buffer
		if err := privacy.WriteArchive(ctx, &archive, s, p, c.TimeZone); err != nil {
			return err
		}
		if err := record(ctx, s, store.AuditExported, p.ID, ""); err != nil {
			return err
		}
		if in.output == "-" {
			_, err := t.out.Write(archive.Bytes())
			return err
		}
		name := in.output
		if name == "" {
			name = privacy.ArchiveName(p)
		}
		if err := createPrivate(name, archive.Bytes()); err != nil {
			return err
		}
		_, err = fmt.Fprintf(t.out, "Saved to %s. Notes are free text: read them before you hand the file over, they may name other people.\n", name)
		return err
	})
}

// createPrivate creates a file that only its owner can read.
func createPrivate(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return usagef("%s already exists: give another name with --output", name)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}
