package diagnose

import (
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
)

// lineReached reports whether our own reflector answered in any way, which proves that
// this computer's line works.
func (f *facts) lineReached() bool {
	if f.nat != nil && (f.nat.UDP == report.ReachOpen || f.nat.TCP == report.ReachOpen) {
		return true
	}
	return f.voiceConnected()
}

// voiceConnected reports whether the voice stream certainly found a path; an interrupted
// stream may not have found one.
func (f *facts) voiceConnected() bool {
	connected := []report.MediaState{
		report.MediaComplete, report.MediaDTLSFailed, report.MediaNotFlowing, report.MediaSelfCheckVoid,
	}
	return f.voice != nil && (slices.Contains(connected, f.voice.State) ||
		f.voice.State == report.MediaInterrupted && f.voice.Path != "")
}

// webReached reports whether the web server itself answered, and not a captive portal
// in its place.
func (f *facts) webReached() bool {
	return f.web != nil && f.web.Stage == "http" && !f.behindPortal()
}

// behindPortal reports a login page in place of the server, unless packets reached our
// reflector.
func (f *facts) behindPortal() bool {
	return f.web != nil && isTrue(f.web.CaptivePortal) && !f.lineReached()
}

// stream returns the measured voice stream; nil if it must not be judged because it did
// not run or because this computer was the bottleneck.
func (f *facts) stream() *report.MediaVoice {
	ran := []report.MediaState{report.MediaComplete, report.MediaInterrupted, report.MediaNotFlowing}
	if f.voice == nil || f.selfCheckVoid() || !slices.Contains(ran, f.voice.State) {
		return nil
	}
	return f.voice
}

// selfCheckVoid reports that this computer was too busy to send the stream on time.
func (f *facts) selfCheckVoid() bool {
	return f.voice != nil && (f.voice.SelfCheck == "void" || f.voice.State == report.MediaSelfCheckVoid)
}

// overUDP and overTCP report the transport of the stream; both are false if it is
// unknown.
func (f *facts) overUDP() bool { return f.voice != nil && strings.HasSuffix(f.voice.Path, "udp") }
func (f *facts) overTCP() bool {
	return f.voice != nil && (strings.HasSuffix(f.voice.Path, "tcp") || strings.HasSuffix(f.voice.Path, "tls"))
}

// overRelay reports whether the stream used a relay.
func (f *facts) overRelay() bool { return f.voice != nil && strings.HasPrefix(f.voice.Path, "relay ") }

// scheduleWeight lowers a confidence in delay variation if this computer sent late,
// because a part of the variation is then its own.
func (f *facts) scheduleWeight() float64 {
	if f.voice != nil && f.voice.SelfCheck == "degraded" {
		return 0.7
	}
	return 1
}
