package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/tonprobe/tonprobe/server/datadir"
)

var at = time.Date(2026, 11, 28, 19, 0, 0, 0, time.UTC)

const database = "SQLite format 3\x00 and what follows"

func snapshot(_ context.Context, file string) error {
	return os.WriteFile(file, []byte(database), 0o600)
}

func anything(context.Context, string) error { return nil }

func collectorIn(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(datadir.TLS(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"ca.pem": "authority", "ca.key": "secret", "server.pem": "leaf", "server.key": "secret too"} {
		if err := os.WriteFile(filepath.Join(datadir.TLS(dir), name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func written(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "b.tonprobe")
	if err := Write(t.Context(), dir, snapshot, file, Manifest{CreatedAt: at, Program: "1.2.3"}); err != nil {
		t.Fatal(err)
	}
	return file
}

func content(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRestoreIsComplete(t *testing.T) {
	file, dir := written(t, collectorIn(t)), t.TempDir()
	r, err := Restore(t.Context(), file, dir, anything, false, at)
	if err != nil || !r.Keys || r.Aside != "" || !r.Manifest.CreatedAt.Equal(at) || r.Manifest.Program != "1.2.3" {
		t.Fatalf("got %+v, error %v; want Keys true, Aside none, Manifest CreatedAt %v, Manifest Program %q", r, err, at, "1.2.3")
	}
	if content(t, datadir.Database(dir)) != database || content(t, datadir.TLS(dir), "ca.key") != "secret" || content(t, datadir.TLS(dir), "server.pem") != "leaf" {
		t.Error("the restored data differs")
	}
	onlyCollectorIn(t, dir)
}

// TestTownsOwnTexts: limits and rules come back, and nothing else of their folders.
func TestTownsOwnTexts(t *testing.T) {
	from, to := collectorIn(t), t.TempDir()
	for _, dir := range []string{from, to} {
		for _, folder := range []string{"profiles", "rules"} {
			if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, text := range map[string]string{"profiles/bbb.toml": "limits", "rules/nw.toml": "rules", "rules/nw.toml~": "old", "rules/README": "x"} {
		if err := os.WriteFile(filepath.Join(from, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(to, "rules", "sh.toml"), []byte("former"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Restore(t.Context(), written(t, from), to, anything, false, at)
	if err != nil || len(r.Texts) != 2 || !r.Keys {
		t.Fatalf("got %+v, error %v; want both folders and the keys", r, err)
	}
	if content(t, to, "profiles", "bbb.toml") != "limits" || content(t, to, "rules", "nw.toml") != "rules" || content(t, asideName(filepath.Join(to, "rules"), at), "sh.toml") != "former" {
		t.Error("the restored texts differ")
	}
	if left, err := os.ReadDir(filepath.Join(to, "rules")); err != nil || len(left) != 1 {
		t.Errorf("got %v, %v; want nw.toml only", left, err)
	}
}

// onlyCollectorIn fails the test if dir contains anything but the collector's files.
func onlyCollectorIn(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if e.Name() != "collector.db" && e.Name() != "tls" {
			t.Errorf("unexpected file: %s", e.Name())
		}
	}
}

func TestExistingKeysAreKept(t *testing.T) {
	file, dir := written(t, collectorIn(t)), collectorIn(t)
	if err := os.WriteFile(filepath.Join(datadir.TLS(dir), "ca.key"), []byte("older"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(datadir.Database(dir), nil, 0o600); err != nil { // emptied by accident
		t.Fatal(err)
	}
	r, err := Restore(t.Context(), file, dir, anything, false, at)
	if err != nil || r.Aside == "" {
		t.Fatalf("got %+v, error %v; want Aside set", r, err)
	}
	if content(t, r.Aside, "ca.key") != "older" || content(t, datadir.TLS(dir), "ca.key") != "secret" {
		t.Error("the keys were replaced")
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	dir := collectorIn(t)
	file := written(t, dir)
	if err := Write(t.Context(), dir, snapshot, file, Manifest{CreatedAt: at}); !errors.Is(err, ErrExists) {
		t.Errorf("a backup over another: got error %v, want %v", err, ErrExists)
	}
	if err := os.WriteFile(datadir.Database(dir), []byte("in use"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), file, dir, anything, false, at); !errors.Is(err, ErrOccupied) || content(t, datadir.Database(dir)) != "in use" {
		t.Errorf("a restore over a collector: got error %v, want %v and the database unchanged", err, ErrOccupied)
	}
}

func TestABackupThatFailsLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	full := errors.New("no space left on device")
	half := func(_ context.Context, file string) error {
		return errors.Join(os.WriteFile(file, []byte("half"), 0o600), full)
	}
	// The next backup removes the temporary files of a killed one.
	if err := os.Mkdir(filepath.Join(folder, "b.partial-1"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(t.Context(), collectorIn(t), half, filepath.Join(folder, "b"), Manifest{}); !errors.Is(err, full) {
		t.Errorf("got error %v, want %v", err, full)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
		t.Errorf("files are left: %v, %v", left, err)
	}
}

// Older versions saved only the database.
func TestBareDatabase(t *testing.T) {
	file, dir := filepath.Join(t.TempDir(), "old.db"), collectorIn(t)
	if err := os.WriteFile(file, []byte(database), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Restore(t.Context(), file, dir, anything, false, at)
	if err != nil || r.Keys || content(t, datadir.Database(dir)) != database || content(t, datadir.TLS(dir), "ca.key") != "secret" {
		t.Errorf("got %+v, error %v; want the database restored and the keys kept", r, err)
	}
}

// TestDamagedBackups truncates a backup at every byte and flips bits: the restore is
// complete, or changes nothing.
func TestDamagedBackups(t *testing.T) {
	whole := []byte(content(t, written(t, collectorIn(t))))
	try := func(name string, b []byte) {
		t.Helper()
		file, dir := filepath.Join(t.TempDir(), "b"), t.TempDir()
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Restore(t.Context(), file, dir, anything, false, at)
		left, readErr := os.ReadDir(dir)
		if readErr != nil {
			t.Fatalf("read the folder: %v", readErr)
		}
		// Some bits have no meaning, such as the padding in the last byte of the
		// deflated data.
		harmless := err == nil && name == "flipped" && content(t, datadir.Database(dir)) == database && content(t, datadir.TLS(dir), "ca.key") == "secret"
		if !harmless && (err == nil || len(left) > 0) {
			t.Errorf("%s: got error %v, %d files; want an error and no files", name, err, len(left))
		}
	}
	for n := range whole {
		try("cut", whole[:n])
	}
	for i := 10; i < len(whole); i += 7 { // after the gzip header, whose flags have no effect
		b := bytes.Clone(whole)
		b[i] ^= 0x40
		try("flipped", b)
	}
}

// archive creates a backup that Write would not create.
func archive(t *testing.T, entries ...[2]string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	a := tar.NewWriter(z)
	for _, e := range entries {
		h := entry(e[0], int64(len(e[1])), at)
		if strings.HasPrefix(e[1], "-> ") {
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, e[1][3:], 0
		}
		if err := a.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := a.Write([]byte(e[1])); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(a.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "b")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestHostileBackups(t *testing.T) {
	manifest := [2]string{manifestName, `{"format":"tonprobe.backup/v1"}`}
	db := [2]string{databaseName, database}
	for name, file := range map[string]string{
		"nothing":              archive(t),
		"no manifest":          archive(t, db),
		"no database":          archive(t, manifest),
		"a newer format":       archive(t, [2]string{manifestName, `{"format":"tonprobe.backup/v9"}`}, db),
		"no JSON":              archive(t, [2]string{manifestName, `<html>`}, db),
		"out of the folder":    archive(t, manifest, db, [2]string{"tls/../../etc/passwd.pem", "x"}),
		"absolute":             archive(t, manifest, db, [2]string{"/etc/passwd", "x"}),
		"a link":               archive(t, manifest, db, [2]string{"tls/ca.pem", "-> /etc/passwd"}),
		"the database, a link": archive(t, manifest, [2]string{databaseName, "-> /etc/passwd"}),
		"one key twice":        archive(t, manifest, db, [2]string{"tls/ca.pem", "x"}, [2]string{"tls/ca.pem", "y"}),
		"targets twice":        archive(t, manifest, db, [2]string{targetsName, "x"}, [2]string{targetsName, "y"}),
		"targets, a link":      archive(t, manifest, db, [2]string{targetsName, "-> /etc/passwd"}),
		"huge targets":         archive(t, manifest, db, [2]string{targetsName, strings.Repeat("x", maxKeyBytes+1)}),
		"a huge key":           archive(t, manifest, db, [2]string{"tls/ca.pem", strings.Repeat("x", maxKeyBytes+1)}),
	} {
		dir := t.TempDir()
		if _, err := Restore(t.Context(), file, dir, anything, false, at); err == nil {
			t.Errorf("%s was accepted", name)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s: files are left: %v, %v", name, left, err)
		}
	}
}

func TestRefusedDatabaseLeavesNoFile(t *testing.T) {
	dir, refused := t.TempDir(), errors.New("newer")
	_, err := Restore(t.Context(), written(t, collectorIn(t)), dir, func(context.Context, string) error { return refused }, false, at)
	if left, readErr := os.ReadDir(dir); !errors.Is(err, refused) || readErr != nil || len(left) > 0 {
		t.Errorf("got error %v, files %v, %v; want %v, none, nil", err, left, readErr, refused)
	}
}

func TestTargetsAreRestored(t *testing.T) {
	from, dir := collectorIn(t), t.TempDir()
	if err := os.WriteFile(datadir.Targets(from), []byte("systems"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(datadir.Targets(dir), []byte("older"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Restore(t.Context(), written(t, from), dir, anything, false, at)
	if err != nil || !r.Targets || content(t, datadir.Targets(dir)) != "systems" || content(t, datadir.TLS(dir), "ca.key") != "secret" {
		t.Errorf("got %+v, error %v; want the targets restored", r, err)
	}
	if kept, _ := filepath.Glob(datadir.Targets(dir) + ".before-*"); len(kept) != 1 || content(t, kept[0]) != "older" {
		t.Errorf("the previous files were not kept: %v", kept)
	}
}

// server is a database server with its content.
type server struct {
	content string
	refused error
	fails   error // of Load
}

func (s *server) Check(context.Context, string) error { return s.refused }

func (s *server) Load(_ context.Context, dump string) error {
	b, err := os.ReadFile(dump)
	s.content = string(b)
	return errors.Join(err, s.fails)
}

func TestRestoreOfADump(t *testing.T) {
	from, file := collectorIn(t), filepath.Join(t.TempDir(), "b")
	if err := Write(t.Context(), from, snapshot, file, Manifest{CreatedAt: at, Database: DatabasePostgres}); err != nil {
		t.Fatal(err)
	}
	dir, s := t.TempDir(), &server{refused: errors.New("filled")}
	if _, err := RestoreServer(t.Context(), file, dir, s, at); !errors.Is(err, s.refused) || s.content != "" {
		t.Errorf("got error %v, content %q; want %v and nothing", err, s.content, s.refused)
	}
	onlyCollectorIn(t, dir)
	s.refused = nil
	if r, err := RestoreServer(t.Context(), file, dir, s, at); err != nil || !r.Keys || s.content != database {
		t.Errorf("got %+v, error %v, content %q; want the keys and the dump", r, err, s.content)
	}
	if _, err := os.Stat(datadir.Database(dir)); err == nil || content(t, datadir.TLS(dir), "ca.key") != "secret" {
		t.Errorf("got a database file beside the keys (error %v)", err)
	}
	// The server fails at the end: the keys and settings of the present collector remain.
	if err := os.WriteFile(filepath.Join(datadir.TLS(dir), "ca.key"), []byte("present"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.fails = errors.New("connection lost")
	if _, err := RestoreServer(t.Context(), file, dir, s, at.Add(time.Second)); !errors.Is(err, s.fails) || content(t, datadir.TLS(dir), "ca.key") != "present" {
		t.Errorf("a restore that fails: got error %v, key %q; want %v and the present key", err, content(t, datadir.TLS(dir), "ca.key"), s.fails)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.before-*")); err != nil || len(left) > 0 {
		t.Errorf("a restore that fails leaves %q, error %v", left, err)
	}
	// A dump cannot be restored as a file of SQLite, and vice versa.
	if _, err := Restore(t.Context(), file, t.TempDir(), anything, false, at); !errors.Is(err, ErrOtherDatabase) {
		t.Errorf("a dump as a file: got error %v, want %v", err, ErrOtherDatabase)
	}
	if _, err := RestoreServer(t.Context(), written(t, from), t.TempDir(), s, at); !errors.Is(err, ErrOtherDatabase) {
		t.Errorf("a file as a dump: got error %v, want %v", err, ErrOtherDatabase)
	}
}

func TestOverwriteKeepsThePreviousDatabase(t *testing.T) {
	file, dir := written(t, collectorIn(t)), collectorIn(t)
	for suffix, text := range map[string]string{"": "in use", "-wal": "log"} {
		if err := os.WriteFile(datadir.Database(dir)+suffix, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Restore(t.Context(), file, dir, anything, true, at)
	if err != nil || content(t, datadir.Database(dir)) != database {
		t.Fatalf("got %+v, error %v; want the restored database", r, err)
	}
	if content(t, r.DatabaseAside) != "in use" || content(t, r.DatabaseAside+"-wal") != "log" {
		t.Error("the previous database was not kept")
	}
	if _, err := os.Stat(datadir.Database(dir) + "-wal"); err == nil {
		t.Error("the log of the previous database is beside the restored one")
	}
	refused := errors.New("newer")
	dir = collectorIn(t)
	if err := os.WriteFile(datadir.Database(dir), []byte("in use"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), file, dir, func(context.Context, string) error { return refused }, true, at); !errors.Is(err, refused) || content(t, datadir.Database(dir)) != "in use" {
		t.Errorf("a refused restore: got error %v, want %v and the previous database", err, refused)
	}
}

// TestFailedOverwriteKeepsEverything: a restore that fails at the database leaves the present collector.
func TestFailedOverwriteKeepsEverything(t *testing.T) {
	file := written(t, collectorIn(t))
	for name, fails := range map[string]struct {
		verify Verify
		taken  bool // the name under which the previous database would be kept
	}{
		"the restored database": {func(_ context.Context, file string) error { return os.Remove(file) }, false},
		"half of the previous":  {anything, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := collectorIn(t)
			if err := os.WriteFile(filepath.Join(datadir.TLS(dir), "ca.key"), []byte("present"), 0o600); err != nil {
				t.Fatal(err)
			}
			for suffix, text := range map[string]string{"": "in use", "-wal": "log"} {
				if err := os.WriteFile(datadir.Database(dir)+suffix, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if fails.taken {
				if err := os.Mkdir(asideName(datadir.Database(dir), at), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			r, err := Restore(t.Context(), file, dir, fails.verify, true, at)
			if err == nil || r.Aside != "" || r.DatabaseAside != "" {
				t.Errorf("got %+v, error %v; want an error, and nothing put aside", r, err)
			}
			for suffix, want := range map[string]string{"": "in use", "-wal": "log"} {
				if got := content(t, datadir.Database(dir)+suffix); got != want {
					t.Errorf("the database%s is %q, want %q", suffix, got, want)
				}
			}
			if got := content(t, datadir.TLS(dir), "ca.key"); got != "present" {
				t.Errorf("the key is %q, want the present one", got)
			}
		})
	}
}

// TestUnreadableBackup: an error of the disk with the backup is not reported as one of the written file.
func TestUnreadableBackup(t *testing.T) {
	broken := &fs.PathError{Op: "read", Path: "backup", Err: errors.New("input/output error")}
	err := copyFile(iotest.ErrReader(broken), filepath.Join(t.TempDir(), "x"), -1)
	if !errors.Is(err, ErrDamaged) || !errors.Is(err, broken) || strings.Contains(err.Error(), "write") {
		t.Errorf("got error %v, want %v because of %v", err, ErrDamaged, broken)
	}
}

// TestWriteRefusesWhatRestoreRefuses: a backup that could not be restored is not written.
func TestWriteRefusesWhatRestoreRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		files, bytes int
		good         bool
	}{
		"as many files as possible": {maxKeys, 1, true},
		"too many files":            {maxKeys + 1, 1, false},
		"a file that is too large":  {1, maxKeyBytes + 1, false},
	} {
		dir, to := collectorIn(t), filepath.Join(t.TempDir(), "b")
		if err := os.Mkdir(filepath.Join(dir, "profiles"), 0o700); err != nil {
			t.Fatal(err)
		}
		for n := range c.files {
			if err := os.WriteFile(filepath.Join(dir, "profiles", fmt.Sprintf("p%d.toml", n)), bytes.Repeat([]byte("#"), c.bytes), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		err := Write(t.Context(), dir, snapshot, to, Manifest{CreatedAt: at})
		if (err == nil) != c.good {
			t.Errorf("%s: got error %v, want it written: %v", name, err, c.good)
		}
		if !c.good {
			if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: got error %v, want no file", name, err)
			}
			continue
		}
		if r, err := Restore(t.Context(), to, t.TempDir(), anything, false, at); err != nil || len(r.Texts) != 1 {
			t.Errorf("%s: got %+v, error %v; want the profiles restored", name, r, err)
		}
	}
}
