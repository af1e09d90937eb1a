package diagnose

import (
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
)

// lineReached reports whether our own reflector answered in any way: a positive
// sign that this computer's line carries packets.
func (f *facts) lineReached() bool {
	if f.nat != nil && (f.nat.UDP == report.ReachOpen || f.nat.TCP == report.ReachOpen) {
		return true
	}
	return f.voiceConnected()
}

// voiceConnected reports whether the voice stream found a path for its packets.
// One that was broken off may not have come so far.
func (f *facts) voiceConnected() bool {
	connected := []report.MediaState{
		report.MediaComplete, report.MediaDTLSFailed, report.MediaNotFlowing, report.MediaSelfCheckVoid,
	}
	return f.voice != nil && (slices.Contains(connected, f.voice.State) ||
		f.voice.State == report.MediaInterrupted && f.voice.Path != "")
}

// webReached reports whether the web server itself answered. A captive portal
// answers in its place and does not count.
func (f *facts) webReached() bool {
	return f.web != nil && f.web.Stage == "http" && !f.behindPortal()
}

// behindPortal reports that a login page stands in between, which no packet that
// reached our reflector speaks against.
func (f *facts) behindPortal() bool {
	return f.web != nil && isTrue(f.web.CaptivePortal) && !f.lineReached()
}

// stream returns the measured voice stream, or nil when it must not be judged:
// when it did not run, or this computer was the bottleneck.
func (f *facts) stream() *report.MediaVoice {
	ran := []report.MediaState{report.MediaComplete, report.MediaInterrupted, report.MediaNotFlowing}
	if f.voice == nil || f.selfCheckVoid() || !slices.Contains(ran, f.voice.State) {
		return nil
	}
	return f.voice
}

// selfCheckVoid reports that this computer was too busy to keep the stream's pace.
func (f *facts) selfCheckVoid() bool {
	return f.voice != nil && (f.voice.SelfCheck == "void" || f.voice.State == report.MediaSelfCheckVoid)
}

// overUDP and overTCP say which transport the stream took; both are false when
// that is not known.
func (f *facts) overUDP() bool { return f.voice != nil && strings.HasSuffix(f.voice.Path, "udp") }
func (f *facts) overTCP() bool {
	return f.voice != nil && (strings.HasSuffix(f.voice.Path, "tcp") || strings.HasSuffix(f.voice.Path, "tls"))
}

// overRelay reports whether the stream took the detour over a relay.
func (f *facts) overRelay() bool { return f.voice != nil && strings.HasPrefix(f.voice.Path, "relay ") }

// scheduleWeight lowers a confidence in delay variation when this computer kept
// its own schedule badly: a part of the variation is its own then.
func (f *facts) scheduleWeight() float64 {
	if f.voice != nil && f.voice.SelfCheck == "degraded" {
		return 0.7
	}
	return 1
}
