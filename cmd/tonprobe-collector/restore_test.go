package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stopped stops a collector as a service manager does.
func (p *process) stopped(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-p.said
	if err := p.Wait(); err != nil {
		t.Errorf("stopped with %v", err)
	}
}

// trusting returns an agent's HTTP client, which trusts the authority received at
// enrolment.
func trusting(t *testing.T, authority []byte) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		t.Fatal("no certificate in the file of the authority")
	}
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
}

// TestRestoredCollectorIsKnownToItsAgents deletes the whole data directory and
// restores it: the agent's next report must be accepted.
func TestRestoredCollectorIsKnownToItsAgents(t *testing.T) {
	binary, home := program(t), t.TempDir()
	dataDir, file := filepath.Join(home, "data"), filepath.Join(home, "evening.tonprobe")
	p := startTLS(t, binary, dataDir)
	authority, err := os.ReadFile(filepath.Join(dataDir, "tls", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	c := enrolOver(t, trusting(t, authority), binary, dataDir, p.url)
	if _, err := c.send(c.newBatch(t, 2)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), binary, "backup", file, "--data", dataDir).CombinedOutput(); err != nil || !strings.Contains(string(out), "secret keys") {
		t.Fatalf("backup beside the running collector: %v\n%s", err, out)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, error %v; want the permissions 0600", info, err)
	}
	restore := func(dir string) (string, error) {
		out, err := exec.CommandContext(t.Context(), binary, "restore", file, "--data", dir).CombinedOutput()
		return string(out), err
	}
	if out, err := restore(dataDir); statusOf(err) != "70" || !strings.Contains(out, "another collector is running") {
		t.Errorf("restore over the running collector: %v\n%s", err, out)
	}
	p.stopped(t)
	if out, err := restore(dataDir); statusOf(err) != "64" || !strings.Contains(out, "there is already a collector's database") {
		t.Errorf("restore over the stopped collector: %v\n%s", err, out)
	}
	if err := os.RemoveAll(dataDir); err != nil {
		t.Fatal(err)
	}
	if out, err := restore(dataDir); err != nil {
		t.Fatalf("restore: %v\n%s", err, out)
	}
	p = startTLS(t, binary, dataDir)
	if strings.Contains(p.output.String(), "Password") {
		t.Error("the restored collector created a new user")
	}
	c.url = p.url
	if ids, err := c.send(c.newBatch(t, 1)); err != nil || len(ids) != 1 {
		t.Errorf("the agent's next report: got %v, error %v; want 1 entry", ids, err)
	}
	p.stopped(t)
	wantKept(t, inFile(t, dataDir), 3)
}

// TestKeysWithoutTheirDatabase: a collector that has lost its database must not
// start with an empty one.
func TestKeysWithoutTheirDatabase(t *testing.T) {
	binary, dataDir := program(t), t.TempDir()
	startTLS(t, binary, dataDir).stopped(t)
	database := filepath.Join(dataDir, "collector.db")
	for name, lose := range map[string]func() error{
		"missing": func() error { return os.Remove(database) },
		"empty":   func() error { return os.WriteFile(database, nil, 0o600) },
	} {
		if err := lose(); err != nil {
			t.Fatal(err)
		}
		for _, command := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"participant", "add", "Anna"}} {
			out, err := exec.CommandContext(t.Context(), binary, append(command, "--data", dataDir)...).CombinedOutput()
			if statusOf(err) == "0" || !strings.Contains(string(out), "restore FILE") {
				t.Errorf("%s, %v: got error %v, want one that names %q\n%s", name, command, err, "restore FILE", out)
			}
		}
	}
}

// TestKilledBackupLeavesNoFile kills the backup at many times: there must be a
// complete file or none.
func TestKilledBackupLeavesNoFile(t *testing.T) {
	binary, home := program(t), t.TempDir()
	dataDir := filepath.Join(home, "data")
	p := start(t, binary, dataDir)
	c := enrolOverTheWire(t, binary, dataDir, p.url)
	if _, err := c.send(c.newBatch(t, 50)); err != nil {
		t.Fatal(err)
	}
	p.stopped(t)
	whole := 0
	for i := range 20 {
		file := filepath.Join(home, "b")
		b := exec.CommandContext(t.Context(), binary, "backup", file, "--data", dataDir)
		if err := b.Start(); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Duration(i)*8*time.Millisecond, func() { _ = b.Process.Kill() })
		_ = b.Wait()
		if _, err := os.Stat(file); err != nil {
			continue
		}
		whole++
		into := filepath.Join(home, "into")
		if out, err := exec.CommandContext(t.Context(), binary, "restore", file, "--data", into).CombinedOutput(); err != nil {
			t.Errorf("the file of a killed backup is not complete: %v\n%s", err, out)
		}
		if err := os.RemoveAll(into); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of 20 were complete before the kill", whole)
	file := filepath.Join(home, "b")
	if out, err := exec.CommandContext(t.Context(), binary, "backup", file, "--data", dataDir).CombinedOutput(); err != nil {
		t.Fatalf("backup after the kills: %v\n%s", err, out)
	}
	if left, err := filepath.Glob(file + ".partial-*"); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v, %v", left, err)
	}
}
