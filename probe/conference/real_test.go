//go:build linux

package conference_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/conference/conferencetest"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// freePort returns an unused TCP port.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// start runs a server until the test ends, and waits for a response at a URL. It returns a
// function that kills it.
func start(t *testing.T, url string, program string, args ...string) (kill func()) {
	t.Helper()
	cmd := exec.Command(program, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	t.Cleanup(kill)
	for deadline := time.Now().Add(20 * time.Second); ; {
		if resp, err := http.Get(url); err == nil {
			resp.Body.Close()
			return kill
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not respond", program)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// janus starts a real Janus and returns its addresses over HTTP and WebSocket.
func janus(t *testing.T, general string) (overHTTP, overWebSocket string) {
	t.Helper()
	need.Programs(t, "janus")
	dir, web, socket, media := t.TempDir(), freePort(t), freePort(t), freePort(t)
	library, _ := filepath.Glob("/usr/lib/*/janus")
	if len(library) == 0 {
		t.Fatal("the plugins of Janus are missing")
	}
	for name, text := range map[string]string{
		"janus.jcfg": fmt.Sprintf("general: {\n plugins_folder = \"%s/plugins\"\n transports_folder = \"%s/transports\"\n %s\n}\n"+
			"media: { rtp_port_range = \"%d-%d\" }\nnat: { full_trickle = true\n ice_enforce_list = \"lo\" }\n"+
			"transports: { disable = \"libjanus_pfunix.so,libjanus_mqtt.so,libjanus_rabbitmq.so,libjanus_nanomsg.so\" }\n",
			library[0], library[0], general, media, media+40),
		"janus.transport.http.jcfg":       fmt.Sprintf("general: {\n base_path = \"/janus\"\n http = true\n port = %d\n ip = \"127.0.0.1\"\n https = false\n}\n", web),
		"janus.transport.websockets.jcfg": fmt.Sprintf("general: {\n ws = true\n ws_port = %d\n ws_ip = \"127.0.0.1\"\n wss = false\n}\n", socket),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	overHTTP = fmt.Sprintf("http://127.0.0.1:%d/janus", web)
	start(t, overHTTP+"/info", "janus", "-F", dir)
	return overHTTP, fmt.Sprintf("ws://127.0.0.1:%d/janus", socket)
}

// TestRealJanus: the EchoTest of a real Janus returns the voice, over both of its APIs.
func TestRealJanus(t *testing.T) {
	overHTTP, overWebSocket := janus(t, "")
	for name, address := range map[string]string{"HTTP": overHTTP, "WebSocket": overWebSocket} {
		t.Run(name, func(t *testing.T) { echoes(t, address) })
	}
}

func echoes(t *testing.T, address string) {
	stop := conferencetest.Delays(t)
	r, got := check(t, address, nil)
	delayMS, _ := stop()
	conferencetest.Want(t, got, map[report.ConferenceStep]string{
		report.StepAPI: "ok", report.StepSignalling: "ok", report.StepSignIn: "ok", report.StepCall: "ok",
		report.StepPath: "ok", report.StepKeys: "ok", report.StepSoundUp: "ok", report.StepSoundDown: "ok",
	})
	if r.Status != report.StatusOK || got.Version == "" || got.Media == nil {
		t.Fatalf("got status %s, version %q, media %v; want %s, non-empty, non-nil", r.Status, got.Version, got.Media, report.StatusOK)
	}
	m := got.Media
	if *m.Sent != 120 || *m.DownReceived < 119 || m.RTTP50MS == nil || *m.RTTP50MS > 20+delayMS || m.UpLossPct == nil || *m.UpLossPct > 1 || *m.DownLossPct > 1 {
		figures, _ := json.Marshal(m)
		t.Errorf("got %s; want 120 packets sent, at least 119 received, a round trip of at most 20 ms and the delays of this computer, %.1f ms, at most 1 %% lost", figures, delayMS)
	}
}

// TestRealJanusRefuses: a gateway that requires a secret, or has no EchoTest, may work for its own
// clients.
func TestRealJanusRefuses(t *testing.T) {
	t.Run("secret", func(t *testing.T) {
		overHTTP, _ := janus(t, `api_secret = "x"`)
		r, got := check(t, overHTTP, nil)
		conferencetest.Want(t, got, map[report.ConferenceStep]string{report.StepAPI: "ok", report.StepSignalling: "unknown needs_link", report.StepCall: "unknown needs_link"})
		if d := r.Data.(*report.Conference); d.FailedStep != "" {
			t.Errorf("got the failed step %s %s, want none", d.FailedStep, d.FailedCode)
		}
	})
	t.Run("no EchoTest", func(t *testing.T) {
		overHTTP, _ := janus(t, "}\nplugins: {\n disable = \"libjanus_echotest.so\"")
		_, got := check(t, overHTTP, nil)
		conferencetest.Want(t, got, map[report.ConferenceStep]string{report.StepSignalling: "ok", report.StepSignIn: "unknown not_offered", report.StepCall: "unknown not_offered"})
	})
}
