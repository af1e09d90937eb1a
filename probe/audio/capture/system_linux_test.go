//go:build cgo

package capture

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCaptureHardware(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pcmC0D0p"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if hasCaptureHardware(dir) {
		t.Error("a loudspeaker was mistaken for a microphone")
	}
	if err := os.WriteFile(filepath.Join(dir, "pcmC1D0c"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !hasCaptureHardware(dir) {
		t.Error("the microphone was not found")
	}
}

func TestALSAPseudoDevices(t *testing.T) {
	if isALSAHardware("null", "Discard all samples (playback) or generate zero samples (capture)") || isALSAHardware("pulse", "PulseAudio Sound Server") {
		t.Error("a pseudo-device was mistaken for hardware")
	}
	if !isALSAHardware(":0,0", "HDA Intel PCH, ALC295 Analog") || !isALSAHardware("hw:1,0", "USB Audio") {
		t.Error("hardware was mistaken for a pseudo-device")
	}
}

func TestSystemService(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want bool
	}{
		{map[string]string{"INVOCATION_ID": "x"}, true},
		{map[string]string{"INVOCATION_ID": "x", "XDG_RUNTIME_DIR": "/run/user/1000"}, false},
		{map[string]string{"INVOCATION_ID": "x", "PULSE_SERVER": "tcp:x"}, false},
		{map[string]string{}, false},
	} {
		if got := isSystemService(func(k string) string { return c.env[k] }); got != c.want {
			t.Errorf("%v: got %v, want %v", c.env, got, c.want)
		}
	}
}
