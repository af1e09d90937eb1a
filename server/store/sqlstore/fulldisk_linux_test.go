package sqlstore

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/pgtest"
)

// TestPostgresOutOfDisk: a database whose disk is full refuses deliveries and
// keeps what it has acknowledged; with more space it continues without intervention.
func TestPostgresOutOfDisk(t *testing.T) {
	address, grow := onSmallDisk(t, ownServer(t))
	s := openPostgres(t, address)
	participant, agent := enrolled(t, s)
	kept := 0
	for ; ; kept++ {
		r := newReport(kept)
		r.Document = make([]byte, 256<<10)
		_, _ = rand.Read(r.Document) // cannot be compressed
		_, err := s.SaveReports(t.Context(), agent, []store.NewReport{r})
		if errors.Is(err, store.ErrUnavailable) {
			break
		}
		if err != nil || kept > 1000 {
			t.Fatalf("after %d reports: got error %v, want ErrUnavailable", kept, err)
		}
	}
	if n, err := s.CountReports(t.Context(), participant); err != nil || n != kept {
		t.Errorf("got %d reports, %d were acknowledged: %v; want these", n, kept, err)
	}
	grow()
	if _, err := s.SaveReports(t.Context(), agent, []store.NewReport{newReport(kept)}); err != nil {
		t.Errorf("with more space: got error %v, want none", err)
	}
}

// ownServer starts a server for this test only: while one of its disks is full, no
// checkpoint succeeds, and without a checkpoint no other database can be dropped.
func ownServer(t *testing.T) (address string) {
	t.Helper()
	pgtest.Server(t) // skips without PostgreSQL
	parent := t.TempDir()
	if err := os.Chmod(filepath.Dir(parent), 0o711); err != nil { // the server runs as another user
		t.Fatal(err)
	}
	const script = "../../../.ci/postgres"
	dir := filepath.Join(parent, "server")
	c := exec.CommandContext(t.Context(), script, "start", dir)
	c.Stderr = t.Output()
	out, err := c.Output()
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	t.Cleanup(func() {
		if out, err := exec.Command(script, "stop", dir).CombinedOutput(); err != nil {
			t.Errorf("stop PostgreSQL: %v\n%s", err, out)
		}
	})
	return strings.TrimSpace(string(out))
}

// onSmallDisk creates a database on its own file system, which requires root.
func onSmallDisk(t *testing.T, server string) (address string, grow func()) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(t.Context()) }()
	var data string
	if err := c.QueryRow(t.Context(), `SHOW data_directory`).Scan(&data); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(data)
	if err != nil || os.Geteuid() != 0 {
		need.Lack(t, "a small disk for PostgreSQL needs root, and a server on this machine", err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	parent := t.TempDir()
	if err := os.Chmod(filepath.Dir(parent), 0o711); err != nil { // the server runs as another user
		t.Fatal(err)
	}
	dir := filepath.Join(parent, "small")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	mount := func(options string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", options, "tonprobe-test", dir).CombinedOutput(); err != nil {
			t.Fatalf("mount: %v\n%s", err, out)
		}
	}
	options := fmt.Sprintf("mode=700,uid=%d,gid=%d,size=", owner.Uid, owner.Gid)
	mount(options + "24m")
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v\n%s", err, out)
		}
	})
	name := "tonprobe_" + uuid.NewString()
	pgtest.Exec(t, server, `CREATE TABLESPACE "`+name+`" LOCATION '`+dir+`'`)
	t.Cleanup(func() { pgtest.Exec(t, server, `DROP TABLESPACE "`+name+`"`) })
	pgtest.Exec(t, server, `CREATE DATABASE "`+name+`" ENCODING 'UTF8' TEMPLATE template0 TABLESPACE "`+name+`"`)
	t.Cleanup(func() { pgtest.Exec(t, server, `DROP DATABASE "`+name+`" WITH (FORCE)`) })
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String(), func() { mount("remount," + options + "64m") }
}
