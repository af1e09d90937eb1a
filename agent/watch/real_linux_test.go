package watch

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// namespaceVariable is set when a test runs again in a network namespace of its own.
const namespaceVariable = "TONPROBE_TEST_NAMESPACE"

// steppedClock is a clock that a test advances.
type steppedClock struct {
	probe.SystemClock
	now time.Time
}

func (c *steppedClock) Now() time.Time { return c.now }

// TestSuspendedProgram stops a real process with the name of a client, and kills it.
func TestSuspendedProgram(t *testing.T) {
	binary, err := os.ReadFile(need.Program(t, "sleep"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "zoom")
	if err := os.WriteFile(path, binary, 0o700); err != nil {
		t.Fatal(err)
	}
	clock := &steppedClock{now: time.Now()}
	p := newPrograms(&Board{}, clock)
	var l log
	p.check(true, l.emit)
	cmd := exec.Command(path, "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	look := func(scan bool, want string) {
		t.Helper()
		probetest.Until(t, want, func() bool {
			clock.now = clock.now.Add(time.Second)
			p.check(scan, l.emit)
			return strings.Contains(l.text(), want)
		})
	}
	look(true, "client_started Zoom")
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	look(false, "client_hung Zoom suspended")
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	probetest.Until(t, "the end of the hang", func() bool {
		p.check(false, l.emit)
		return strings.Count(l.text(), "client_hung Zoom suspended") == 2
	})
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	look(false, "client_ended Zoom")
}

// TestLinkGoesDown removes the carrier of a real interface in a network namespace, and
// restores it.
func TestLinkGoesDown(t *testing.T) {
	if os.Getenv(namespaceVariable) == "" {
		need.Root(t, "a network namespace")
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestLinkGoesDown$", "-test.v")
		cmd.Env = append(os.Environ(), namespaceVariable+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return
	}
	ip := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	ip("link", "add", "eth0", "type", "veth", "peer", "name", "far")
	ip("address", "add", "10.9.0.10/24", "dev", "eth0")
	ip("link", "set", "eth0", "up")
	ip("link", "set", "far", "up")
	ip("route", "add", "default", "via", "10.9.0.1")
	b := &Board{}
	n := newNetwork(b, probe.SystemClock{})
	var l log
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- n.run(ctx, l.emit) }()
	probetest.Until(t, "the link", func() bool { v := b.View(); return v.Link.Connected && v.Link.Gateway.String() == "10.9.0.1" })
	ip("link", "set", "far", "down")
	probetest.Until(t, "its loss", func() bool { return strings.HasSuffix(l.text(), "link_changed down") && !b.View().Link.Connected })
	ip("link", "set", "far", "up")
	probetest.Until(t, "its return", func() bool { return strings.HasSuffix(l.text(), "link_changed down; link_changed up") })
	cancel()
	<-ended
}

// TestMicrophoneVanishes removes a microphone from a real PulseAudio.
func TestMicrophoneVanishes(t *testing.T) {
	server := need.Program(t, "pulseaudio")
	dir := t.TempDir()
	socket := filepath.Join(dir, "native")
	for name, value := range map[string]string{
		"HOME": dir, "XDG_RUNTIME_DIR": dir, "XDG_CONFIG_HOME": dir, "PULSE_RUNTIME_PATH": dir, "PULSE_STATE_PATH": dir, "PULSE_SERVER": "unix:" + socket,
	} {
		t.Setenv(name, value)
	}
	cmd := exec.Command(server, "--daemonize=no", "-n", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes",
		"--load=module-native-protocol-unix auth-anonymous=1 socket="+socket,
		"--load=module-null-source source_name=laptop", "--load=module-null-source source_name=headset")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	probetest.Until(t, "the sound server", func() bool { return exec.Command("pactl", "set-default-source", "headset").Run() == nil })
	module := ""
	out, err := exec.Command("pactl", "list", "short", "modules").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "source_name=headset") {
			module, _, _ = strings.Cut(line, "\t")
		}
	}
	b := &Board{}
	s := newSound(b, probe.SystemClock{})
	var l log
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.run(ctx, l.emit) }()
	probetest.Until(t, "the default microphone", func() bool { return b.View().Muted != nil })
	if err := exec.Command("pactl", "set-source-mute", "headset", "1").Run(); err != nil {
		t.Fatal(err)
	}
	probetest.Until(t, "the mute", func() bool { m := b.View().Muted; return m != nil && *m })
	if out, err := exec.Command("pactl", "unload-module", module).CombinedOutput(); err != nil {
		t.Fatalf("unload module %q: %v: %s", module, err, out)
	}
	probetest.Until(t, "its loss", func() bool { return strings.HasPrefix(l.text(), "device_unplugged") })
	if out, err := exec.Command("pactl", "load-module", "module-null-source", "source_name=headset").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	probetest.Until(t, "its return", func() bool {
		return strings.Contains(l.text(), "device_unplugged ") && strings.HasSuffix(l.text(), " s")
	})
	cancel()
	<-ended
}
