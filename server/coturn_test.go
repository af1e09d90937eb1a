package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/nat"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// coturn runs a real turnserver with additional options and returns its port.
func coturn(t *testing.T, options ...string) int {
	t.Helper()
	program := need.Program(t, "turnserver")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	dir := t.TempDir()
	cmd := exec.Command(program, append([]string{
		"-n", "--no-cli", "--no-tls", "--no-dtls", "--log-file=" + filepath.Join(dir, "log"), "--pidfile=" + filepath.Join(dir, "pid"),
		"--userdb=" + filepath.Join(dir, "db"), "--allow-loopback-peers", "--realm=conference.example",
		"--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", fmt.Sprintf("--listening-port=%d", port),
	}, options...)...)
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = c.Close()
			return port
		}
		if time.Now().After(end) {
			t.Fatalf("coturn does not respond: %v", err)
		}
	}
}

// TestRelayOfAnotherOperator: a check uses a real coturn, with credentials that the
// collector signs, or with fixed ones.
func TestRelayOfAnotherOperator(t *testing.T) {
	for name, c := range map[string]struct {
		options []string
		others  ICEServers
		fault   string
	}{
		"shared secret": {[]string{"--use-auth-secret", "--static-auth-secret=north"}, ICEServers{Secret: []byte("north")}, ""},
		"wrong secret":  {[]string{"--use-auth-secret", "--static-auth-secret=north"}, ICEServers{Secret: []byte("south")}, "auth_failed"},
		"static":        {[]string{"--lt-cred-mech", "--user=me:mine"}, ICEServers{Username: "me", Password: "mine"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			at := fmt.Sprintf("127.0.0.1:%d", coturn(t, c.options...))
			c.others.URLs = []string{"stun:" + at, "turn:" + at + "?transport=udp", "turn:" + at + "?transport=tcp"}
			c.others.Only = true
			r := run(t, Config{ICEServers: c.others})
			d := tryRelays(t, r.iceConfig(t, r.tokenOf(t)))
			if d.UDPAllocated == nil || *d.UDPAllocated != (c.fault == "") || d.UDPError != c.fault || d.TCPError != c.fault {
				t.Errorf("got %+v; want UDPAllocated %v and the errors %q", d, c.fault == "", c.fault)
			}
			if c.fault == "" && (d.UDPRelayed == nil || !*d.UDPRelayed || d.TCPRelayed == nil || !*d.TCPRelayed) {
				t.Errorf("no data was relayed: got %+v, want UDPRelayed and TCPRelayed", d)
			}
		})
	}
}

// iceConfig returns the response of /api/v1/ice.
func (r running) iceConfig(t *testing.T, token string) (c wire.ICEConfig) {
	t.Helper()
	q, err := http.NewRequest(http.MethodGet, r.URL()+"/api/v1/ice", nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+token)
	resp, err := r.client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(&c); err != nil || c.Validate() != nil {
		t.Fatalf("got error %v, %v; want nil", err, c.Validate())
	}
	return c
}

func tryRelays(t *testing.T, c wire.ICEConfig) *report.NATTURN {
	t.Helper()
	result, err := nat.NewTURN(nat.TURNConfig{
		ICE:    func(context.Context) (wire.ICEConfig, error) { return c, nil },
		Timers: nat.StandardTimers, // the default ones are for a person who waits
	}).Run(t.Context(), probetest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	return result.Data.(*report.NATTURN)
}

// TestTheirServersBesideOurs: an agent receives both.
func TestTheirServersBesideOurs(t *testing.T) {
	r := run(t, Config{ICEServers: ICEServers{URLs: []string{"stun:s.example", "turn:t.example"}, Secret: []byte("north")}})
	var urls []string
	for _, s := range r.iceConfig(t, r.tokenOf(t)).ICEServers {
		urls = append(urls, s.URLs[0])
	}
	if len(urls) != 4 || urls[2] != "stun:s.example" || urls[3] != "turn:t.example" {
		t.Errorf("got URLs %q; want 4 entries, [2] %q, [3] %q", urls, "stun:s.example", "turn:t.example")
	}
}
