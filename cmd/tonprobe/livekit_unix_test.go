//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

const liveKitKey, liveKitSecret = "devkey", "secretsecretsecretsecretsecretsecret"

// liveKit starts a real LiveKit and returns its address.
func liveKit(t *testing.T) string {
	t.Helper()
	program := need.Program(t, "livekit-server")
	port := func() int {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.Addr().(*net.TCPAddr).Port
	}
	web := port()
	p := exec.Command(program, "--node-ip", "127.0.0.1", "--config-body", fmt.Sprintf(
		"port: %d\nbind_addresses: [127.0.0.1]\nkeys: {%s: %s}\nlogging: {level: error}\nrtc: {tcp_port: %d, udp_port: %d, enable_loopback_candidate: true}\n",
		web, liveKitKey, liveKitSecret, port(), port()))
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill(); _ = p.Wait() })
	at := fmt.Sprintf("http://127.0.0.1:%d", web)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if resp, err := http.Get(at); err == nil {
			resp.Body.Close()
			return at
		}
		if time.Now().After(deadline) {
			t.Fatal("LiveKit does not respond")
		}
	}
}

// TestCheckOfANamedLiveKit: an administrator adds a LiveKit once; a participant's check calls
// it in a test room. The key stays with the collector, and no token is stored.
func TestCheckOfANamedLiveKit(t *testing.T) {
	var log syncBuffer
	at, c := liveKit(t), startCollectorWith(t, &log, "--log-level", "debug")
	a := agent{t, filepath.Join(t.TempDir(), "data")}
	a.run("enroll", c.invite(t), "--server", c.url)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(liveKitSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	collector := func(args ...string) string {
		out, err := exec.Command(c.binary, append(args, "--data", c.data)...).CombinedOutput()
		if err != nil || bytes.Contains(out, []byte(liveKitSecret)) {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	// While the collector is running.
	collector("target", "add", "Rat Saal", "--system", "livekit", "--url", at, "--api-key", liveKitKey, "--api-secret-file", secret)
	if out := collector("target", "test", "Rat Saal", "--verbose"); !regexp.MustCompile(`secret +ok`).MatchString(out) {
		t.Errorf("target test: %s", out)
	}
	r, out, errs, _ := a.checkUnlessBusy("--no-audio", "--target", "rat saal", "--verbose")
	got := report.Find[report.Conference](r)
	if r.Verdict != report.Ready || r.Target != at || got == nil || got.Media == nil || got.Media.State != report.MediaComplete || got.PathTCP == nil || !*got.PathTCP {
		t.Errorf("got verdict %s, target %q, causes %+v, %+v; want %s, %q, non-nil, Media set, Media State %v, PathTCP true", r.Verdict, r.Target, r.Causes, got, report.Ready, at, report.MediaComplete)
	}
	t.Logf("the check took %d ms", r.DurationMS)
	// A token is a JSON Web Token, whose header is always the same.
	const token = "eyJhbGciOi"
	for name, b := range map[string][]byte{"report": out, "log of the check": errs, "log of the collector": []byte(log.String())} {
		if bytes.Contains(b, []byte(token)) || bytes.Contains(b, []byte(liveKitSecret)) {
			t.Errorf("the %s contains a secret", name)
		}
	}
	err := filepath.WalkDir(a.data, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(token)) || bytes.Contains(b, []byte(liveKitSecret)) {
			t.Errorf("%s contains a secret", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
