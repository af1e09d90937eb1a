//go:build cgo

package capture

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/gen2brain/malgo"

	"github.com/tonprobe/tonprobe/probe/report"
)

// pulseKeeps is how many periods the server keeps: a second of sound. What a sound server keeps for a client that
// is late it throws away beyond that; with miniaudio's four periods, a computer
// that kept this process waiting for 0.2 s had the microphone accused of losing
// sound. Conference programs have the server keep as much as it can. It delays
// nothing: the server hands over each period (fragsize) as it comes.
const pulseKeeps = 1000 / periodMS

// soundSystems is PulseAudio (PipeWire answers to it as well) and, where there
// is real hardware, ALSA.
func soundSystems() []soundSystem {
	// On PulseAudio miniaudio 0.11.25 reads through a nil pointer when the device
	// whose formats it is asked for has gone since it was listed.
	systems := []soundSystem{{name: "pulseaudio", backend: malgo.BackendPulseaudio, id: cStringID, formatsElsewhere: true, record: recordPulse}}
	if hasCaptureHardware("/dev/snd") {
		systems = append(systems, soundSystem{name: "alsa", backend: malgo.BackendAlsa, id: cStringID, real: isALSAHardware})
	}
	return systems
}

// hasCaptureHardware looks for the kernel's capture devices (pcmC0D0c and so
// on). Without one, ALSA's pseudo-devices deliver silence: a false "muted".
func hasCaptureHardware(dir string) bool {
	found, err := filepath.Glob(filepath.Join(dir, "pcmC*D*c"))
	return err == nil && len(found) > 0
}

// isALSAHardware drops ALSA's pseudo-devices such as "Discard all samples
// (playback) or generate zero samples (capture)".
func isALSAHardware(id, name string) bool {
	plugin, _, _ := strings.Cut(id, ":")
	switch plugin {
	case "null", "samplerate", "speexrate", "lavrate", "jack", "oss", "pulse", "speex", "upmix", "vdownmix", "pipewire":
		return false
	}
	return !strings.Contains(name, "Discard all samples")
}

// refuseEarly finds out what would otherwise look like a missing sound system:
// a background service of the system has no user's session to record in.
func refuseEarly() error {
	if isSystemService(os.Getenv) {
		return &startError{state: report.CaptureNoSession, text: "no user is logged in", reason: report.NoSoundService}
	}
	return nil
}

// isSystemService: systemd sets INVOCATION_ID for its services; those that
// belong to a user's session have a runtime directory besides.
func isSystemService(getenv func(string) string) bool {
	return getenv("INVOCATION_ID") != "" && getenv("XDG_RUNTIME_DIR") == "" && getenv("PULSE_SERVER") == ""
}
