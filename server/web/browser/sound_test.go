package browser_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tonprobe/tonprobe/probe/audio/signal/signaltest"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// startSound starts a PulseAudio server of its own with a microphone that plays samples at 48 kHz. It
// returns the server's address: without a sound server, Firefox does not run any audio graph.
func startSound(t *testing.T, samples []float32) string {
	t.Helper()
	need.Programs(t, "pulseaudio", "pactl", "paplay")
	dir := t.TempDir()
	address := filepath.Join(dir, "socket")
	start(t, dir, exec.Command("pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--disable-shm=yes",
		"--load=module-native-protocol-unix auth-anonymous=1 socket="+address,
		"--load=module-null-sink sink_name=speaker rate=48000",
		"--load=module-null-sink sink_name=voice rate=48000 channels=1",
		"--load=module-remap-source source_name=microphone master=voice.monitor"))
	address = "unix:" + address
	set := func(args ...string) bool {
		command := exec.Command("pactl", args...)
		command.Env = soundEnv(dir, address)
		return command.Run() == nil
	}
	waitUntil(t, "PulseAudio has a microphone", func() bool {
		return set("set-default-source", "microphone") && set("set-default-sink", "speaker")
	})
	file := filepath.Join(dir, "voice.wav")
	if err := os.WriteFile(file, signaltest.WAV(48000, samples), 0o600); err != nil {
		t.Fatal(err)
	}
	player := exec.Command("paplay", "--device=voice", file)
	player.Env = soundEnv(dir, address)
	start(t, dir, player)
	return address
}

func soundEnv(dir, address string) []string {
	return append(os.Environ(), "HOME="+dir, "XDG_RUNTIME_DIR="+dir, "PULSE_SERVER="+address)
}

// start starts a program and ends it with the test.
func start(t *testing.T, dir string, command *exec.Cmd) {
	t.Helper()
	if command.Env == nil {
		command.Env = append(os.Environ(), "HOME="+dir, "XDG_RUNTIME_DIR="+dir)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
}
