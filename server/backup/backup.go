// Package backup saves a collector to one file and restores it: the database, the keys by which
// agents recognise the collector, the conference systems with their secrets, and the town's own
// limits and rules. Without the keys, agents would reject the restored collector.
//
// The file is a gzipped tar archive with manifest.json, collector.db (with PostgreSQL
// collector.dump, of pg_dump), targets.json if it exists, the files of tls/, and those of profiles/
// and rules/, in this order.
package backup

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"time"

	"github.com/tonprobe/tonprobe/server/datadir"
)

// format names the layout of the archive.
const format = "tonprobe.backup/v1"

const (
	manifestName = "manifest.json"
	databaseName = "collector.db"
	dumpName     = "collector.dump"
	targetsName  = "targets.json"
	tlsFolder    = "tls"
	// maxKeyBytes limits each file but the database. A certificate has about a
	// kilobyte.
	maxKeyBytes = 1 << 20
	// maxKeys limits the files of each folder.
	maxKeys = 64
)

// keyName matches the valid names of files in tls/. None of them contains a path to another folder.
var keyName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*\.(pem|key|json)$`)

// textName matches the valid names of files in the folders of texts.
var textName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*\.toml$`)

// textFolders are the folders with a town's own settings, which an administrator writes.
func textFolders() []string { return []string{"profiles", "rules"} }

// ErrExists means that the file to write exists.
var ErrExists = errors.New("already exists: give the backup another name")

// Manifest is the first entry of a backup.
type Manifest struct {
	Format    string    `json:"format"`
	CreatedAt time.Time `json:"created_at"`
	// Program is the version of the program that wrote the backup.
	Program string `json:"program"`
	// Database is "" for SQLite, or DatabasePostgres.
	Database string `json:"database,omitempty"`
}

// DatabasePostgres is the Manifest.Database of a dump of PostgreSQL.
const DatabasePostgres = "postgresql"

// database returns the name of the database in the archive.
func (m Manifest) database() string {
	if m.Database == DatabasePostgres {
		return dumpName
	}
	return databaseName
}

// Snapshot writes a consistent copy of the database to a new file, while others read and write the
// database.
type Snapshot func(ctx context.Context, file string) error

// Write saves the collector in dir to file. The file gets its name only when it is complete and
// synced. A backup that is killed leaves a directory FILE.partial-…, which the next backup to the
// same name removes.
func Write(ctx context.Context, dir string, snapshot Snapshot, file string, m Manifest) (err error) {
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%s %w", file, ErrExists)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write backup: %w", err)
	}
	removeLeftovers(file)
	aside, err := os.MkdirTemp(filepath.Dir(file), filepath.Base(file)+".partial-*")
	if err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(aside)) }()
	database := filepath.Join(aside, m.database())
	if err := snapshot(ctx, database); err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	whole := filepath.Join(aside, "archive")
	m.Format = format
	if err := writeArchive(ctx, whole, database, dir, m); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	// Unlike a rename, a link does not replace a file that was created in the meantime.
	if err := os.Link(whole, file); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s %w", file, ErrExists)
		}
		if err := os.Rename(whole, file); err != nil { // file systems without hard links
			return fmt.Errorf("write backup: %w", err)
		}
	}
	return datadir.SyncFolder(filepath.Dir(file))
}

// removeLeftovers removes what killed backups to the same name have left, because it contains
// personal data.
func removeLeftovers(file string) {
	old, _ := filepath.Glob(filepath.Join(filepath.Dir(file), filepath.Base(file)+".partial-*"))
	for _, folder := range old {
		_ = os.RemoveAll(folder)
	}
}

// writeArchive writes a copy of the database and the other files of dir.
func writeArchive(ctx context.Context, file, database, dir string, m Manifest) (err error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z := gzip.NewWriter(f)
	a := tar.NewWriter(z)
	manifest, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("encode manifest: %w", err)
	}
	if err := a.WriteHeader(entry(manifestName, int64(len(manifest)), m.CreatedAt)); err != nil {
		return err
	}
	if _, err := a.Write(manifest); err != nil {
		return err
	}
	if err := addFile(ctx, a, m.database(), database, -1, m.CreatedAt); err != nil {
		return err
	}
	switch err := addFile(ctx, a, targetsName, datadir.Targets(dir), maxKeyBytes, m.CreatedAt); {
	case errors.Is(err, fs.ErrNotExist): // no target has been added
	case err != nil:
		return err
	}
	// Behind a proxy there are no keys.
	if err := addFolder(ctx, a, tlsFolder, datadir.TLS(dir), keyName, m.CreatedAt); err != nil {
		return err
	}
	for _, name := range textFolders() {
		if err := addFolder(ctx, a, name, filepath.Join(dir, name), textName, m.CreatedAt); err != nil {
			return err
		}
	}
	return errors.Join(a.Close(), z.Close(), f.Sync())
}

func entry(name string, size int64, at time.Time) *tar.Header {
	return &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o600, Size: size, ModTime: at, Format: tar.FormatPAX}
}

// addFolder adds the files of a folder whose names are valid. There may be no such folder. It fails if
// there are more than Restore accepts.
func addFolder(ctx context.Context, a *tar.Writer, name, folder string, valid *regexp.Regexp, at time.Time) error {
	found, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read %s: %w", name, err)
	}
	count := 0
	for _, f := range found {
		if !f.Type().IsRegular() || !valid.MatchString(f.Name()) {
			continue
		}
		if count++; count > maxKeys {
			return fmt.Errorf("%s contains more than %d files", folder, maxKeys)
		}
		if err := addFile(ctx, a, path.Join(name, f.Name()), filepath.Join(folder, f.Name()), maxKeyBytes, at); err != nil {
			return err
		}
	}
	return nil
}

// addFile adds a file of at most limit bytes; -1 means no limit.
func addFile(ctx context.Context, a *tar.Writer, name, file string, limit int64, at time.Time) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if limit >= 0 && info.Size() > limit {
		return fmt.Errorf("%s has %d bytes, more than %d", file, info.Size(), limit)
	}
	if err := a.WriteHeader(entry(name, info.Size(), at)); err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	if _, err := io.Copy(a, &cancellable{ctx, f}); err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	return nil
}

// cancellable is a reader that fails once ctx is done.
type cancellable struct {
	ctx context.Context
	io.Reader
}

func (c *cancellable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.Reader.Read(p)
}
