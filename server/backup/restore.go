package backup

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/server/datadir"
)

var (
	// ErrOccupied means that the directory contains the database of a collector.
	ErrOccupied = errors.New("there is already a collector's database: give an empty directory with --data, or --overwrite to put that database aside")
	// ErrOtherDatabase means that the backup is of another kind of database.
	ErrOtherDatabase = errors.New("the backup is of another kind of database")
	// ErrNoBackup means that the file was not written by Write.
	ErrNoBackup = errors.New("this is not a backup of a Tonprobe collector")
	// ErrDamaged means that the file is an incomplete or corrupt backup.
	ErrDamaged = errors.New("the backup is damaged or truncated: nothing was restored")
)

// Verify checks a database before it replaces the present one.
type Verify func(ctx context.Context, file string) error

// Server restores dumps of PostgreSQL.
type Server interface {
	// Check returns the error with which Load would refuse the dump.
	Check(ctx context.Context, dump string) error
	// Load replaces the content of the database in one transaction.
	Load(ctx context.Context, dump string) error
}

// Restored describes what was restored.
type Restored struct {
	Manifest Manifest
	// Keys is set if the backup contained the collector's keys. Without them, agents that
	// trusted the collector's own certificate must be enrolled again.
	Keys bool
	// Targets is set if the backup contained conference systems.
	Targets bool
	// Texts are the folders of the town's own limits and rules that the backup contained.
	Texts []string
	// Aside is the folder to which the previous keys in the directory were moved; "" if there
	// were none.
	Aside string
	// DatabaseAside is the file to which a previous database was moved; "" if there was none.
	DatabaseAside string
}

// Restore restores a backup into dir. If dir contains a database, Restore fails unless overwrite is
// set; then it moves the database aside. It changes dir only after it has read the whole file and
// verified the database. The database is put in place last, so that a restore that was killed can be
// repeated. If root restores, the files belong to the owner of dir.
//
// Restore also accepts an SQLite file, as versions before this format wrote it. It contains no
// keys; those in dir remain.
func Restore(ctx context.Context, file, dir string, verify Verify, overwrite bool, now time.Time) (r Restored, err error) {
	info, err := os.Lstat(datadir.Database(dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r, fmt.Errorf("restore: %w", err)
	}
	occupied := err == nil && info.Size() > 0
	if occupied && !overwrite {
		return r, fmt.Errorf("%s: %w", dir, ErrOccupied)
	}
	return restore(ctx, file, dir, Manifest{}, verify, now, func(r *Restored, files *replacements, database string) error {
		if occupied {
			if err := moveDatabase(r, files, dir, now); err != nil {
				return err
			}
		}
		return files.rename(database, datadir.Database(dir))
	})
}

// RestoreServer is Restore for a backup of a collector with PostgreSQL: the keys and the
// conference systems go to dir, the data to the server.
func RestoreServer(ctx context.Context, file, dir string, s Server, now time.Time) (Restored, error) {
	return restore(ctx, file, dir, Manifest{Database: DatabasePostgres}, s.Check, now, func(_ *Restored, _ *replacements, dump string) error {
		return s.Load(ctx, dump)
	})
}

// moveDatabase moves the database of dir aside, with the files that belong to it.
func moveDatabase(r *Restored, files *replacements, dir string, now time.Time) error {
	from := datadir.Database(dir)
	r.DatabaseAside = asideName(from, now)
	// The write-ahead log is moved first: a database without it may lack the last commits.
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := files.rename(from+suffix, r.DatabaseAside+suffix); err != nil && (suffix == "" || !errors.Is(err, fs.ErrNotExist)) {
			return err
		}
	}
	return nil
}

// restore unpacks and verifies a backup, whose kind of database must be that of like, moves the other
// files into dir, and then calls put for the database.
func restore(ctx context.Context, file, dir string, like Manifest, verify Verify, now time.Time, put func(r *Restored, files *replacements, database string) error) (r Restored, err error) {
	f, err := os.Open(file)
	if err != nil {
		return r, fmt.Errorf("restore: %w", err)
	}
	defer func() { _ = f.Close() }()
	aside, err := os.MkdirTemp(dir, "restore-*")
	if err != nil {
		return r, fmt.Errorf("restore: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(aside)) }()
	if r, err = unpack(ctx, f, aside); err != nil {
		return Restored{}, fmt.Errorf("read %s: %w", file, err)
	}
	if r.Manifest.Database != like.Database {
		return Restored{}, fmt.Errorf("%s: %w: a backup of SQLite is restored without a database URL, one of PostgreSQL with it", file, ErrOtherDatabase)
	}
	database := filepath.Join(aside, like.database())
	if err := verify(ctx, database); err != nil {
		return Restored{}, fmt.Errorf("check the database in %s: %w", file, err)
	}
	if err := datadir.GiveToOwner(aside); err != nil {
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	var files replacements
	if r.Keys {
		if r.Aside, err = files.add(filepath.Join(aside, tlsFolder), datadir.TLS(dir), now); err != nil {
			return r, fmt.Errorf("restore the keys: %w", errors.Join(err, files.undo()))
		}
	}
	if r.Targets {
		if _, err := files.add(filepath.Join(aside, targetsName), datadir.Targets(dir), now); err != nil {
			return r, fmt.Errorf("restore the conference systems: %w", errors.Join(err, files.undo()))
		}
	}
	for _, name := range r.Texts {
		if _, err := files.add(filepath.Join(aside, name), filepath.Join(dir, name), now); err != nil {
			return r, fmt.Errorf("restore %s: %w", name, errors.Join(err, files.undo()))
		}
	}
	if err := put(&r, &files, database); err != nil {
		r.Aside, r.DatabaseAside = "", ""
		return r, fmt.Errorf("restore the database: %w", errors.Join(err, files.undo()))
	}
	return r, datadir.SyncFolder(dir)
}

// asideName returns the name under which a previous file is kept.
func asideName(name string, now time.Time) string {
	return name + ".before-" + now.UTC().Format("20060102T150405.000Z")
}

// replacements are the renames of a restore. A server may refuse the database after them: then the
// present database would have the keys of another collector.
type replacements [][2]string // from, to

// add renames from to to. A previous file or folder to is kept as aside.
func (done *replacements) add(from, to string, now time.Time) (aside string, err error) {
	if _, err := os.Lstat(to); err == nil {
		aside = asideName(to, now)
		if err := done.rename(to, aside); err != nil {
			return "", err
		}
	}
	return aside, done.rename(from, to)
}

func (done *replacements) rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	*done = append(*done, [2]string{from, to})
	return nil
}

// undo undoes all renames, the last one first.
func (done *replacements) undo() (err error) {
	for _, r := range slices.Backward(*done) {
		err = errors.Join(err, os.Rename(r[1], r[0]))
	}
	return err
}

func unpack(ctx context.Context, f io.Reader, to string) (Restored, error) {
	in := bufio.NewReader(&cancellable{ctx, f})
	switch head, _ := in.Peek(16); {
	case bytes.Equal(head, []byte("SQLite format 3\x00")):
		return Restored{}, copyFile(in, filepath.Join(to, databaseName), -1)
	case !bytes.HasPrefix(head, []byte{0x1f, 0x8b}): // RFC 1952, section 2.3.1
		return Restored{}, ErrNoBackup
	}
	z, err := gzip.NewReader(in)
	if err != nil {
		return Restored{}, fmt.Errorf("%w: %w", ErrNoBackup, err)
	}
	return unpackArchive(z, to)
}

func unpackArchive(z io.Reader, to string) (r Restored, err error) {
	a := tar.NewReader(z)
	if err := nextIs(a, manifestName); err != nil {
		return r, err
	}
	if err := json.NewDecoder(io.LimitReader(a, maxKeyBytes)).Decode(&r.Manifest); err != nil || r.Manifest.Format == "" {
		return r, ErrNoBackup
	}
	if r.Manifest.Format != format {
		return r, fmt.Errorf("%w: it has the format %.40q, this program knows %q: install the newer version", ErrNoBackup, r.Manifest.Format, format)
	}
	if d := r.Manifest.Database; d != "" && d != DatabasePostgres {
		return r, fmt.Errorf("%w: it is of the database %.40q, which this program does not know: install the newer version", ErrNoBackup, d)
	}
	if err := nextIs(a, r.Manifest.database()); err != nil {
		return r, err
	}
	if err := copyFile(a, filepath.Join(to, r.Manifest.database()), -1); err != nil {
		return r, err
	}
	counts := map[string]int{}
	for n := 0; ; n++ {
		h, err := a.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return r, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		if h.Name == targetsName && h.Typeflag == tar.TypeReg && n == 0 && h.Size <= maxKeyBytes {
			if err := copyFile(a, filepath.Join(to, targetsName), h.Size); err != nil {
				return r, err
			}
			r.Targets = true
			continue
		}
		folder, name, _ := strings.Cut(h.Name, "/")
		if !inFolder(folder, name) || h.Typeflag != tar.TypeReg || counts[folder] >= maxKeys || h.Size > maxKeyBytes {
			return r, fmt.Errorf("%w: it contains %.60q", ErrNoBackup, h.Name)
		}
		if err := os.MkdirAll(filepath.Join(to, folder), 0o700); err != nil {
			return r, err
		}
		if err := copyFile(a, filepath.Join(to, folder, name), h.Size); err != nil {
			return r, err
		}
		if counts[folder]++; folder == tlsFolder {
			r.Keys = true
		} else if counts[folder] == 1 {
			r.Texts = append(r.Texts, folder)
		}
	}
	// The tar archive ends before the gzip stream, whose trailer contains the checksum.
	if _, err := io.Copy(io.Discard, z); err != nil {
		return r, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return r, nil
}

// inFolder reports whether a folder of a backup may contain a file with this name.
func inFolder(folder, name string) bool {
	if folder == tlsFolder {
		return keyName.MatchString(name)
	}
	return slices.Contains(textFolders(), folder) && textName.MatchString(name)
}

// nextIs advances to the next entry, which must be a file with this name.
func nextIs(a *tar.Reader, name string) error {
	h, err := a.Next()
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, gzip.ErrChecksum):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case err != nil || h.Name != name || h.Typeflag != tar.TypeReg:
		return ErrNoBackup
	}
	return nil
}

// copyFile creates and syncs a file. size is the expected size in bytes, -1 if unknown.
func copyFile(from io.Reader, to string, size int64) (err error) {
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	n, err := io.Copy(f, from)
	var disk *fs.PathError // an error of the written file, not of the backup
	switch {
	case errors.As(err, &disk) && disk.Path == to:
		return fmt.Errorf("write: %w", err)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case size >= 0 && n != size:
		return ErrDamaged
	}
	return f.Sync()
}
