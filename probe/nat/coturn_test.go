package nat

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// coturn runs turnserver on the addresses, with port and port+1, until the end of
// the test. It returns once the server responds.
func coturn(t *testing.T, addresses ...string) (port int) { return coturnWith(t, nil, addresses...) }

// coturnWith adds options.
func coturnWith(t *testing.T, options []string, addresses ...string) (port int) {
	t.Helper()
	program := need.Program(t, "turnserver")
	port = freePorts(t, addresses...)
	dir := t.TempDir()
	log, err := os.Create(filepath.Join(dir, "log"))
	fatal(t, err)
	t.Cleanup(func() { _ = log.Close() })
	args := []string{
		"-n", "--no-cli", "--no-tls", "--no-dtls", "--log-file=stdout", "--pidfile=" + filepath.Join(dir, "pid"),
		"--userdb=" + filepath.Join(dir, "db"), "--allow-loopback-peers", "--lt-cred-mech", "--realm=test", "--user=a:b",
		fmt.Sprintf("--listening-port=%d", port), fmt.Sprintf("--alt-listening-port=%d", port+1),
	}
	args = append(args, options...)
	for _, a := range addresses {
		args = append(args, "--listening-ip="+a, "--relay-ip="+a)
	}
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	fatal(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			b, _ := os.ReadFile(log.Name())
			t.Logf("coturn: %s", b)
		}
	})
	waitForTCP(t, fmt.Sprintf("%s:%d", addresses[0], port))
	return port
}

// freePorts returns a port that is free on all addresses, as is the next one.
func freePorts(t *testing.T, addresses ...string) int {
	t.Helper()
	for range 50 {
		l, err := net.Listen("tcp", addresses[0]+":0")
		fatal(t, err)
		port := l.Addr().(*net.TCPAddr).Port
		_ = l.Close()
		if allFree(port, addresses) && allFree(port+1, addresses) {
			return port
		}
	}
	t.Fatal("found no two consecutive free ports")
	return 0
}

func allFree(port int, addresses []string) bool {
	for _, a := range addresses {
		c, err := net.ListenPacket("udp", fmt.Sprintf("%s:%d", a, port))
		if err != nil {
			return false
		}
		_ = c.Close()
		l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", a, port))
		if err != nil {
			return false
		}
		_ = l.Close()
	}
	return true
}

func waitForTCP(t *testing.T, address string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return
		}
	}
	t.Fatalf("%s does not listen", address)
}

func TestCoturn(t *testing.T) {
	port := coturn(t, "127.0.0.1")
	data, r := run(t, DefaultTimers, fmt.Sprintf("stun:127.0.0.1:%d", port))
	if r.Status != report.StatusOK || data.UDP != report.ReachOpen || data.TCP != report.ReachOpen {
		t.Fatalf("got %+v, %+v; want UDP and TCP open", r, data)
	}
	if *data.Translated || data.UDPRTTMS == nil || data.TCPRTTMS == nil || data.ALG != nil && *data.ALG {
		t.Errorf("got %+v, want no translation, both round trips, no ALG", data)
	}
}

func TestCoturnRelays(t *testing.T) {
	port := coturn(t, "127.0.0.1")
	at := fmt.Sprintf("127.0.0.1:%d", port)
	ice := func(password string) func(context.Context) (wire.ICEConfig, error) {
		return func(context.Context) (wire.ICEConfig, error) {
			return wire.ICEConfig{ICEServers: []wire.ICEServer{
				{URLs: []string{"stun:" + at}},
				{URLs: []string{"turn:" + at, "turn:" + at + "?transport=tcp"}, Username: "a", Credential: password},
			}}, nil
		}
	}
	for password, fault := range map[string]string{"b": "", "guess": "auth_failed"} {
		r, err := NewTURN(TURNConfig{ICE: ice(password)}).Run(t.Context(), probetest.Env(t))
		fatal(t, err)
		d := r.Data.(*report.NATTURN)
		if d.UDPError != fault || d.TCPError != fault || *d.UDPAllocated != (fault == "") || *d.TCPAllocated != (fault == "") {
			t.Errorf("%s: got %+v, want error %q over UDP and TCP", password, d, fault)
		}
		if fault == "" && (d.UDPRelayed == nil || !*d.UDPRelayed || d.TCPRelayed == nil || !*d.TCPRelayed || r.Status != report.StatusOK) {
			t.Errorf("got %+v, %+v; want both relayed", d, r)
		}
	}
}

// TestCoturnRedirects: one coturn redirects all clients to another.
func TestCoturnRedirects(t *testing.T) {
	behind := coturn(t, "127.0.0.1")
	front := coturnWith(t, []string{fmt.Sprintf("--alternate-server=127.0.0.1:%d", behind)}, "127.0.0.1")
	at := fmt.Sprintf("127.0.0.1:%d", front)
	r, err := NewTURN(TURNConfig{ICE: func(context.Context) (wire.ICEConfig, error) {
		return wire.ICEConfig{ICEServers: []wire.ICEServer{
			{URLs: []string{fmt.Sprintf("stun:127.0.0.1:%d", behind)}},
			{URLs: []string{"turn:" + at, "turn:" + at + "?transport=tcp"}, Username: "a", Credential: "b"},
		}}, nil
	}}).Run(t.Context(), probetest.Env(t))
	fatal(t, err)
	d := r.Data.(*report.NATTURN)
	if r.Status != report.StatusOK || len(d.Relays) != 2 {
		t.Fatalf("got %+v, %+v; want two relays", r, d)
	}
	for _, relay := range d.Relays {
		if !*relay.Allocated || relay.Relayed == nil || !*relay.Relayed || relay.Redirected == nil || *relay.Port != front {
			t.Errorf("got %+v, want it allocated and relayed after a redirect", relay)
		}
	}
}
