//go:build unix

// Package pulserig provides a microphone for tests: a separate PulseAudio server with
// a null sink, whose monitor is presented as a microphone by a remap source. Audio played
// into the sink is the input of the microphone. It does not affect the user's server.
//
// Only tests import it.
package pulserig

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// Names within the rig.
const (
	Sink    = "mic_in"   // play into this
	Mic     = "mic"      // the microphone's ID
	MicName = "Test Mic" // the microphone's name
)

// Config configures the microphone. The zero value is mono at 48 kHz.
type Config struct {
	// NoDevices starts the server without any sink or source.
	NoDevices bool
	// NoMic omits the microphone: the sink's monitor becomes the default source.
	NoMic    bool
	RateHz   int
	Channels int
	// Name is the displayed name of the microphone; MicName if empty.
	Name string
}

// Rig is a running server.
type Rig struct {
	tb     testing.TB
	dir    string
	server *exec.Cmd
	ended  chan struct{}
	// front and clientConfig are set by Refuse.
	front, clientConfig string

	mu      sync.Mutex
	plugged map[string]int // number of calls of Plug per ID
}

// Start starts a server that ends with the test.
func Start(tb testing.TB, c Config) *Rig {
	tb.Helper()
	need.Programs(tb, "pulseaudio", "pactl", "paplay")
	// Not tb.TempDir, because the path of a socket is limited to 108 bytes.
	dir, err := os.MkdirTemp("", "pulserig")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	r := &Rig{tb: tb, dir: dir, ended: make(chan struct{})}
	args := []string{"-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disallow-exit",
		"-L", "module-native-protocol-unix auth-anonymous=1 socket=" + r.socket()}
	for _, m := range c.modules() {
		args = append(args, "-L", m)
	}
	r.server = exec.Command("pulseaudio", args...)
	r.server.Env = append(os.Environ(), "HOME="+dir, "XDG_RUNTIME_DIR="+dir)
	var log bytes.Buffer
	r.server.Stdout, r.server.Stderr = &log, &log
	if err := r.server.Start(); err != nil {
		tb.Fatal(err)
	}
	go func() {
		defer close(r.ended)
		_ = r.server.Wait()
	}()
	tb.Cleanup(func() {
		r.Kill()
		if tb.Failed() {
			tb.Logf("pulseaudio said:\n%s", log.String())
		}
	})
	Until(tb, "PulseAudio to answer", func() bool { return r.command("pactl", "info").Run() == nil })
	return r
}

func (c Config) modules() []string {
	if c.NoDevices {
		return nil
	}
	rate, channels, name := c.RateHz, c.Channels, c.Name
	if rate == 0 {
		rate = 48000
	}
	if channels == 0 {
		channels = 1
	}
	if name == "" {
		name = MicName
	}
	modules := []string{fmt.Sprintf("module-null-sink sink_name=%s rate=48000 channels=%d", Sink, channels)}
	if !c.NoMic {
		modules = append(modules, fmt.Sprintf("module-remap-source master=%s.monitor source_name=%s rate=%d channels=%d source_properties='device.description=%q'",
			Sink, Mic, rate, channels, name))
	}
	return modules
}

// Until polls a condition and fails the test if it does not become true in time.
func Until(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline.C:
			tb.Fatalf("timed out waiting for %s", what)
		case <-tick.C:
		}
	}
}

func (r *Rig) socket() string { return filepath.Join(r.dir, "native") }

// Env returns an environment that selects this server and nothing of the user's.
func (r *Rig) Env() []string {
	env := []string{"XDG_RUNTIME_DIR=" + r.dir, "HOME=" + r.dir, "PULSE_COOKIE=" + filepath.Join(r.dir, "cookie")}
	if r.front != "" {
		return append(env, "PULSE_SERVER=unix:"+r.front, "PULSE_CLIENTCONFIG="+r.clientConfig)
	}
	return append(env, "PULSE_SERVER=unix:"+r.socket())
}

// Child returns a function that creates capture processes on this rig: the test
// binary with arg, which its TestMain must handle.
func (r *Rig) Child(arg string) func(context.Context) *exec.Cmd {
	return func(ctx context.Context) *exec.Cmd {
		exe, err := os.Executable()
		if err != nil {
			r.tb.Error(err)
		}
		cmd := exec.CommandContext(ctx, exe, arg)
		cmd.Env = append(os.Environ(), r.Env()...)
		return cmd
	}
}

func (r *Rig) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), r.Env()...)
	return cmd
}

// Control runs pactl.
func (r *Rig) Control(args ...string) string {
	r.tb.Helper()
	out, err := r.command("pactl", args...).CombinedOutput()
	if err != nil {
		r.tb.Fatalf("pactl %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Load loads a module, for example "module-null-sink", "sink_name=x".
func (r *Rig) Load(module ...string) {
	r.tb.Helper()
	r.Control(append([]string{"load-module"}, module...)...)
}

// Mute mutes or unmutes the microphone in the system.
func (r *Rig) Mute(on bool) {
	r.tb.Helper()
	r.Control("set-source-mute", Mic, strconv.FormatBool(on))
}

// Volume sets the microphone's volume in per cent of PulseAudio's cubic scale.
func (r *Rig) Volume(percent int) {
	r.tb.Helper()
	r.Control("set-source-volume", Mic, strconv.Itoa(percent)+"%")
}

// Play plays a WAV file into the microphone repeatedly until the test ends or stop
// is called. It returns once samples arrive.
func (r *Rig) Play(path string) (stop func()) {
	r.tb.Helper()
	return r.PlayInto(Sink, path)
}

// PlayInto is Play for another sink that a test has loaded.
func (r *Rig) PlayInto(sink, path string) (stop func()) {
	r.tb.Helper()
	return r.play(sink, path)
}

// PlayRaw is PlayInto for a headerless file of interleaved 32-bit floats. They are
// mapped to the sink's channels by number, regardless of positions.
func (r *Rig) PlayRaw(sink, path string, rateHz, channels int) (stop func()) {
	r.tb.Helper()
	return r.play(sink, path, "--raw", "--format=float32le", fmt.Sprintf("--rate=%d", rateHz), fmt.Sprintf("--channels=%d", channels), "--no-remap")
}

func (r *Rig) play(sink, path string, options ...string) (stop func()) {
	r.tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			// The server buffers 2 s and requests more after 0.95 s, so that a delay of
			// paplay on a busy machine causes no gap. PA_STREAM_ADJUST_LATENCY assigns half
			// of the remainder to the sink: 50 ms. By default paplay assigns all of it, and
			// the null sink renders in blocks of 2 s, which delays the microphone's first
			// samples by as much.
			cmd := exec.CommandContext(ctx, "paplay", append(options, "--device="+sink, "--latency-msec=2000", "--process-time-msec=950", path)...)
			cmd.Env = append(os.Environ(), r.Env()...)
			if cmd.Run() != nil {
				return
			}
		}
	}()
	stop = func() { cancel(); <-done }
	r.tb.Cleanup(stop)
	Until(r.tb, "sound to flow", func() bool {
		out, err := r.command("pactl", "list", "short", "sinks").Output()
		return err == nil && slices.ContainsFunc(strings.Split(string(out), "\n"), func(line string) bool {
			return strings.Contains(line, "\t"+sink+"\t") && strings.HasSuffix(line, "RUNNING")
		})
	})
	return stop
}

// Outputs returns the indexes of the streams that record from the server.
func (r *Rig) Outputs() []string {
	out, err := r.command("pactl", "list", "source-outputs").Output()
	if err != nil {
		return nil
	}
	var ids []string
	for block := range strings.SplitSeq(string(out), "Source Output #") {
		// The remap source has a stream too, but no process.
		if id, _, ok := strings.Cut(block, "\n"); ok && strings.Contains(block, "application.process.id") {
			ids = append(ids, id)
		}
	}
	return ids
}

// Recording reports whether any program records from the server now.
func (r *Rig) Recording() bool { return len(r.Outputs()) > 0 }

// Suspend stops the server's process without ending it (SIGSTOP).
func (r *Rig) Suspend() { r.signal(syscall.SIGSTOP) }

// Resume continues a suspended server.
func (r *Rig) Resume() { r.signal(syscall.SIGCONT) }

func (r *Rig) signal(s syscall.Signal) {
	r.tb.Helper()
	if err := r.server.Process.Signal(s); err != nil {
		r.tb.Fatal(err)
	}
}

// Kill terminates the server at once.
func (r *Rig) Kill() {
	_ = r.server.Process.Kill()
	<-r.ended
}
