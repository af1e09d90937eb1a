//go:build linux

package bbb_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/conference/bbb"
	"github.com/tonprobe/tonprobe/probe/conference/conferencetest"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/bbbrig"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// visitWith checks a server until ctx ends.
func visitWith(ctx context.Context, t *testing.T, r *bbbrig.Rig, link string) *report.Conference {
	t.Helper()
	v := visit.New(visit.Config{URL: address(t, r.URL+"/bigbluebutton"), JoinLink: address(t, link), RootCAs: r.Roots, Direct: true}, probetest.Env(t))
	defer v.Close()
	bbb.System{}.Check(ctx, v)
	return v.Data
}

// TestStoppedCheckLeaves: a check that is cancelled at any moment leaves the meeting, and
// reports no fault.
func TestStoppedCheckLeaves(t *testing.T) {
	for name, c := range map[string]struct {
		version string
		step    report.ConferenceStep
	}{
		"state": {"3.0", report.StepState}, "call": {"3.0", report.StepCall}, "sound": {"3.0", report.StepSoundUp},
		"state of 2.7": {"2.7", report.StepState}, "sound of 2.7": {"2.7", report.StepSoundUp},
		"state with LiveKit": {"4.0", report.StepState}, "call with LiveKit": {"4.0", report.StepCall}, "sound with LiveKit": {"4.0", report.StepSoundUp},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			step := c.step
			r := bbbrig.Start(t, bbbrig.Config{Version: c.version})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				for ctx.Err() == nil {
					c := r.Count()
					if step == report.StepState && c.Joins > 0 || step == report.StepCall && c.Present > 0 || c.Calls+c.Tracks > 0 {
						cancel()
					}
					runtime.Gosched()
				}
			}()
			got := visitWith(ctx, t, r, r.JoinLink())
			if !r.Left(8 * time.Second) {
				t.Errorf("left behind: %+v, want nothing", r.Count())
			}
			if down, _ := got.Check(report.StepSoundDown); down.Status != report.StatusUnknown {
				t.Errorf("sound down: %s %s, want unknown", down.Status, down.Code)
			}
		})
	}
}

// TestLoadBalancer: a redirected join link is followed to the other server, which the
// step names. With LiveKit, both participants join there.
func TestLoadBalancer(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"3.0", "4.0"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			r := bbbrig.Start(t, bbbrig.Config{Version: version})
			link := r.JoinLink()
			front := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if req.URL.Path == "/bigbluebutton/api/join" {
					http.Redirect(w, req, link, http.StatusFound)
					return
				}
				fmt.Fprint(w, `{"response":{"returncode":"SUCCESS","version":"2.0","graphqlWebsocketUrl":"wss://x/graphql"}}`)
			}))
			t.Cleanup(front.Close)
			v := visit.New(visit.Config{URL: address(t, front.URL+"/bigbluebutton"), JoinLink: address(t, front.URL+"/bigbluebutton/api/join?checksum=1"), RootCAs: r.Roots, Direct: true}, probetest.Env(t))
			defer v.Close()
			bbb.System{}.Check(t.Context(), v)
			conferencetest.Want(t, v.Data, map[report.ConferenceStep]string{report.StepSignIn: "ok other_host", report.StepState: "ok", report.StepSoundDown: "ok"})
			if !r.Left(8 * time.Second) {
				t.Errorf("left behind: %+v, want nothing", r.Count())
			}
		})
	}
}

// TestNothingIsLeftBehind: the goroutines and sockets of many checks are released,
// whatever the server did.
func TestNothingIsLeftBehind(t *testing.T) {
	faults := []map[bbbrig.Step]bbbrig.Fault{
		{bbbrig.Join: bbbrig.Ended}, {bbbrig.Join: bbbrig.Huge}, {bbbrig.State: bbbrig.Closes}, {bbbrig.State: bbbrig.Full}, {bbbrig.Signalling: bbbrig.Closes},
		{bbbrig.Call: bbbrig.Refuses}, {bbbrig.Call: bbbrig.Garbage}, {bbbrig.Call: bbbrig.HTML}, {bbbrig.Call: bbbrig.Closes},
	}
	rigs := []*bbbrig.Rig{
		bbbrig.Start(t, bbbrig.Config{Version: "2.7", Faults: map[bbbrig.Step]bbbrig.Fault{bbbrig.State: bbbrig.Closes}}),
		bbbrig.Start(t, bbbrig.Config{Version: "2.7", Faults: map[bbbrig.Step]bbbrig.Fault{bbbrig.Call: bbbrig.Refuses}}),
		bbbrig.Start(t, bbbrig.Config{Version: "4.0", Faults: map[bbbrig.Step]bbbrig.Fault{bbbrig.Token: bbbrig.Refuses}}),
		bbbrig.Start(t, bbbrig.Config{Version: "4.0", Faults: map[bbbrig.Step]bbbrig.Fault{bbbrig.LiveKit: bbbrig.Expired}}),
		bbbrig.Start(t, bbbrig.Config{Version: "4.0", Faults: map[bbbrig.Step]bbbrig.Fault{bbbrig.Sound: bbbrig.HangsUp}}),
	}
	for _, f := range faults {
		rigs = append(rigs, bbbrig.Start(t, bbbrig.Config{Faults: f}))
	}
	round := func() {
		for _, r := range rigs {
			visitWith(t.Context(), t, r, r.JoinLink())
			if !r.Left(8 * time.Second) {
				t.Fatalf("left behind: %+v, want nothing", r.Count())
			}
		}
	}
	round()
	goroutines, sockets := settled(t)
	for range 12 {
		round()
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		g, s := runtime.NumGoroutine(), openFiles(t)
		if g <= goroutines+8 && s <= sockets+8 {
			return
		}
		if time.Now().After(end) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines and %d open files, want no more than before, %d and %d\n%s", g, s, goroutines, sockets, buf[:runtime.Stack(buf, true)])
		}
	}
}

// settled returns the numbers of goroutines and open files once they no longer
// decrease.
func settled(t *testing.T) (goroutines, files int) {
	t.Helper()
	for {
		goroutines, files = runtime.NumGoroutine(), openFiles(t)
		time.Sleep(300 * time.Millisecond)
		if runtime.NumGoroutine() >= goroutines && openFiles(t) >= files {
			return goroutines, files
		}
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// relay runs a real coturn with additional options and returns its port.
func relay(t *testing.T, options ...string) int {
	t.Helper()
	program := need.Program(t, "turnserver")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	dir := t.TempDir()
	cmd := exec.Command(program, append([]string{"-n", "--no-cli", "--no-tls", "--no-dtls", "--log-file=" + filepath.Join(dir, "log"), "--pidfile=" + filepath.Join(dir, "pid"),
		"--userdb=" + filepath.Join(dir, "db"), "--allow-loopback-peers", "--lt-cred-mech", "--realm=test", "--user=a:b",
		"--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", fmt.Sprintf("--listening-port=%d", port)}, options...)...)
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			c.Close()
			return port
		}
		if time.Now().After(end) {
			t.Fatal("coturn does not listen; want it to within the deadline")
		}
	}
}

// TestRelayThatBrowsersMustUse: the settings of the client say who has to use a relay, and
// the relay is tested although the sound works without it.
func TestRelayThatBrowsersMustUse(t *testing.T) {
	deny := relay(t, "--denied-peer-ip=127.0.0.0-127.255.255.255")
	for name, c := range map[string]struct {
		config bbbrig.Config
		want   string
	}{
		"nobody":                    {bbbrig.Config{Version: "3.0"}, ""},
		"Firefox":                   {bbbrig.Config{Version: "3.0", ForceRelayOnFirefox: true}, report.RelayForcedFirefox},
		"all":                       {bbbrig.Config{Version: "3.0", ForceRelay: true, ForceRelayOnFirefox: true}, report.RelayForcedAll},
		"LiveKit, Firefox":          {bbbrig.Config{Version: "4.0", LiveKitForceRelayOnFirefox: true}, report.RelayForcedFirefox},
		"LiveKit, all":              {bbbrig.Config{Version: "4.0", LiveKitForceRelay: true}, report.RelayForcedAll},
		"LiveKit, not those of SFU": {bbbrig.Config{Version: "4.0", ForceRelay: true, ForceRelayOnFirefox: true}, ""},
		"SFU, not those of LiveKit": {bbbrig.Config{Version: "3.0", LiveKitForceRelay: true}, ""},
		"2.7, which does not say":   {bbbrig.Config{Version: "2.7", ForceRelay: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.config.Stuns = bbbrig.RelayList("a", "b", fmt.Sprintf("turn:127.0.0.1:%d", deny))
			r := bbbrig.Start(t, c.config)
			got := check(t, r, r.JoinLink())
			conferencetest.Want(t, got, map[report.ConferenceStep]string{report.StepRelay: "fail denied", report.StepPath: "ok", report.StepSoundDown: "ok"})
			if got.RelayForced != c.want {
				t.Errorf("got relay_forced %q, want %q", got.RelayForced, c.want)
			}
		})
	}
}

// TestRelaysOfTheMeeting: each relay of the list is tested with its credentials up to the
// permission for the address of the media server, over UDP and TCP, and a fault of a
// relay does not hide that the sound works.
func TestRelaysOfTheMeeting(t *testing.T) {
	for name, c := range map[string]struct {
		version  string
		options  []string
		password string
		step     string
		fault    string
	}{
		"works":                       {"3.0", nil, "b", "ok", ""},
		"denies the media":            {"3.0", []string{"--denied-peer-ip=127.0.0.0-127.255.255.255"}, "b", "fail denied", "denied"},
		"refuses credentials":         {"3.0", nil, "expired", "fail auth_failed", "auth_failed"},
		"works for LiveKit":           {"4.0", nil, "b", "ok", ""},
		"denies the media of LiveKit": {"4.0", []string{"--denied-peer-ip=127.0.0.0-127.255.255.255"}, "b", "fail denied", "denied"},
		"works for 2.7":               {"2.7", nil, "b", "ok", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := fmt.Sprintf("turn:127.0.0.1:%d", relay(t, c.options...))
			r := bbbrig.Start(t, bbbrig.Config{Version: c.version, Stuns: bbbrig.RelayList("a", c.password, at, at+"?transport=tcp")})
			got := check(t, r, r.JoinLink())
			conferencetest.Want(t, got, map[report.ConferenceStep]string{report.StepRelay: c.step, report.StepPath: "ok", report.StepSoundDown: "ok"})
			if len(got.Relays) != 2 {
				t.Fatalf("%d relays tried, want 2", len(got.Relays))
			}
			for _, tried := range got.Relays {
				if tried.Error != c.fault || c.fault == "" && (tried.Permitted == nil || !*tried.Permitted) {
					t.Errorf("%s: permitted %v, error %q, want error %q", tried.Transport, tried.Permitted, tried.Error, c.fault)
				}
			}
		})
	}
}
