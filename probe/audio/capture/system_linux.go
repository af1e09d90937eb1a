//go:build cgo

package capture

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/gen2brain/malgo"

	"github.com/tonprobe/tonprobe/probe/audio/osstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

// pulseKeeps is the number of periods that the server buffers: one second of sound.
// A server discards what a late client has not read beyond this limit. With miniaudio's
// four periods, a computer that delayed this process by 0.2 s made the microphone look
// as if it lost sound. Conference programs request the maximum. The buffer adds no
// delay: the server delivers each period (fragsize) as it arrives.
const pulseKeeps = 1000 / periodMS

// soundSystems returns PulseAudio (also provided by PipeWire) and, if there is real
// hardware, ALSA.
func soundSystems() []soundSystem {
	// miniaudio 0.11.25 dereferences a nil pointer on PulseAudio if a device disappears
	// between the listing and the query for its formats.
	systems := []soundSystem{{name: "pulseaudio", backend: malgo.BackendPulseaudio, id: cStringID, formatsElsewhere: true,
		answers: osstate.PulseAnswers, record: recordPulse}}
	if hasCaptureHardware("/dev/snd") {
		systems = append(systems, soundSystem{name: "alsa", backend: malgo.BackendAlsa, id: cStringID, real: isALSAHardware})
	}
	return systems
}

// hasCaptureHardware looks for the kernel's capture devices (such as pcmC0D0c).
// Without one, ALSA's pseudo-devices deliver silence, which would read as muted.
func hasCaptureHardware(dir string) bool {
	found, err := filepath.Glob(filepath.Join(dir, "pcmC*D*c"))
	return err == nil && len(found) > 0
}

// isALSAHardware excludes ALSA's pseudo-devices such as "Discard all samples
// (playback) or generate zero samples (capture)".
func isALSAHardware(id, name string) bool {
	plugin, _, _ := strings.Cut(id, ":")
	switch plugin {
	case "null", "samplerate", "speexrate", "lavrate", "jack", "oss", "pulse", "speex", "upmix", "vdownmix", "pipewire":
		return false
	}
	return !strings.Contains(name, "Discard all samples")
}

// refuseEarly detects a system service, which has no user session to record in and
// would otherwise report a missing sound system.
func refuseEarly() error {
	if isSystemService(os.Getenv) {
		return &startError{state: report.CaptureNoSession, text: "no user is logged in", reason: report.NoSoundService}
	}
	return nil
}

// isSystemService reports whether systemd runs this program as a system service: it sets
// INVOCATION_ID for its services, and those of a user session have a runtime directory as well.
func isSystemService(getenv func(string) string) bool {
	return getenv("INVOCATION_ID") != "" && getenv("XDG_RUNTIME_DIR") == "" && getenv("PULSE_SERVER") == ""
}
