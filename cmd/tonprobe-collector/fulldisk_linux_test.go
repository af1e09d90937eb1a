package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// smallDisk mounts a small file system, which requires root.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	need.Root(t, "mounting a small disk")
	dir := filepath.Join(t.TempDir(), "small")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "mode=700,size="+size, "tonprobe-test", dir).CombinedOutput(); err != nil {
		need.Lack(t, "the right to mount a small disk", fmt.Errorf("%w: %s", err, out))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v\n%s", err, out)
		}
	})
	return dir
}

// fill leaves no free space.
func fill(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for block := make([]byte, 64<<10); len(block) > 0; {
		if _, err := f.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// TestFullDisk checks that the collector reports its full disk, tells agents to
// retry, loses nothing, and recovers once there is space.
func TestFullDisk(t *testing.T) {
	binary, dataDir := program(t), smallDisk(t, "96m")
	p := start(t, binary, dataDir)
	c := enrolOverTheWire(t, binary, dataDir, p.url)
	if _, err := c.send(c.newBatch(t, 1)); err != nil {
		t.Fatal(err)
	}
	// A busy machine may need several attempts: the parts are tested within a few seconds.
	probetest.Until(t, "a ready collector before the disk is full", func() bool {
		status, body := get(t, p.url+"/readyz")
		if status != http.StatusOK {
			t.Logf("got %d %s", status, body)
		}
		return status == http.StatusOK
	})
	fill(t, dataDir)
	if status, body := get(t, p.url+"/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, `"disk":"failed"`) {
		t.Errorf("on a full disk: got %d %s; want %d, containing %q", status, body, http.StatusServiceUnavailable, `"disk":"failed"`)
	}
	var batch []byte
	refused := false
	sent := 1
	for range 40 { // the write-ahead log may have some space left
		batch = c.newBatch(t, 20)
		_, err := c.send(batch)
		if err == nil {
			sent += 20
			continue
		}
		if !strings.Contains(err.Error(), "503") {
			t.Errorf("got error %v on a full disk, want 503", err)
		}
		refused = true
		break
	}
	if !refused {
		t.Error("all reports were accepted on a full disk")
	}
	if err := os.Remove(filepath.Join(dataDir, "ballast")); err != nil {
		t.Fatal(err)
	}
	if ids, err := c.send(batch); err != nil || len(ids) != 20 {
		t.Errorf("with free space again: got %d, error %v; want 20", len(ids), err)
	}
	p.stopped(t)
	wantKept(t, inFile(t, dataDir), sent+20)

	fill(t, dataDir)
	out, err := exec.CommandContext(t.Context(), binary, "serve", "--data", dataDir, "--listen", "127.0.0.1:0", "--stun-listen", "127.0.0.1:0",
		"--media-listen", "127.0.0.1:0", "--behind-proxy").CombinedOutput()
	if statusOf(err) != "70" || !strings.Contains(string(out), "is full: free some space") {
		t.Errorf("the collector started on a full disk: %v\n%s", err, out)
	}
}
