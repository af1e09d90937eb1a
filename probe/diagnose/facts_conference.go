package diagnose

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
)

// visited is a conference system that was checked.
type visited struct {
	probe string // its name
	*report.Conference
}

// callingProbes returns the probes that can call a conference system.
func callingProbes() []string {
	return []string{report.ProbeBBB, report.ProbeLiveKit, report.ProbeJanus, report.ProbeWHIP}
}

func visitedOf(r *report.Report) *visited {
	for _, result := range r.Probes {
		if c, ok := result.Data.(*report.Conference); ok && c != nil {
			return &visited{result.Name, c}
		}
	}
	return nil
}

// failedAt reports whether the first failed step of the check is one of these.
func (f *facts) failedAt(steps ...report.ConferenceStep) bool {
	if f.conference == nil {
		return false
	}
	for _, s := range steps {
		if f.conference.FailedStep == string(s) {
			return true
		}
	}
	return false
}

func (v *visited) evidence() []report.Evidence {
	all := []report.Evidence{
		observed(v.probe, "failed_step", v.FailedStep, ""),
		observed(v.probe, "failed_code", v.FailedCode, ""),
	}
	if v.FailedHost != "" {
		all = append(all, observed(v.probe, "failed_host", v.FailedHost, ""))
	}
	return all
}

// silentElsewhere reports whether another host than that of network.web failed, in a way for which
// the participant's network may be the reason as well.
func (v *visited) silentElsewhere() bool {
	return v.FailedHost != "" && slices.Contains([]string{"certificate", "no_tls", "no_name", "timeout", "cut_off", "refused", "unreachable", "no_answer"}, v.FailedCode)
}

// failedStatus returns the number that the system gave as the reason; 0 if none.
func (v *visited) failedStatus() int {
	n, err := strconv.Atoi(v.FailedCode)
	if err != nil {
		return 0
	}
	return n
}

// filtered reports whether a filter in the participant's network opens encrypted connections and
// may itself have given the answer of the conference system: a page that says what is blocked, often with
// the status 403.
func (f *facts) filtered() bool {
	if f.web == nil || !isTrue(f.web.TLSIntercepted) {
		return false
	}
	status := f.conference.failedStatus()
	return 400 <= status && status < 500 || slices.Contains([]string{"not_api", "redirected", "redirect_loop", "too_long"}, f.conference.FailedCode)
}

// conferenceFault is a conference system that answers, but whose interface does not do
// what its client needs. If the path to its web server does not work, nothing is
// reported about the system.
func (f *facts) conferenceFault() *finding {
	if !f.failedAt(report.StepAPI, report.StepSignalling, report.StepState, report.StepSignIn, report.StepCall) && !f.systemEnded() && !f.frontEndFails() {
		return nil
	}
	if f.web != nil && !f.webReached() || f.behindPortal() {
		return nil
	}
	c := f.conference
	switch {
	case f.meetingGone(), f.microphoneRefused(), f.microphonesLocked(), f.socketBlocked():
		return nil // causes of their own
	case f.filtered():
		hit := disturbance(suggested, ofWeb("tls_intercepted", true, ""))
		hit.evidence = append(hit.evidence, c.evidence()...)
		hit.area = report.AreaUnknown
		return hit
	case c.failedStatus() != 0, slices.Contains([]string{"not_api", "too_many_connections", "bad_livekit_address", "private_address", "redirect_loop", "too_long"}, c.FailedCode):
		// It reported the error itself, or another server is in its place.
		return fault(likely, c.evidence()...)
	case c.FailedCode == "stopped":
		return nil
	case c.silentElsewhere():
		if f.lineLoses() || f.isFar() {
			return nil
		}
		hit := disturbance(suggested, c.evidence()...)
		hit.area = report.AreaUnknown
		return hit
	case c.FailedCode == "certificate", c.FailedCode == "no_tls", c.FailedCode == "no_name":
		return nil // network.web tells these apart
	case c.FailedCode == "token_refused", f.refused():
		// The collector's key or secret opens test rooms only.
		hit := disturbance(likely, c.evidence()...)
		hit.blind = true
		return hit
	case f.lineLoses() || f.isFar():
		return nil
	}
	return disturbance(suggested, c.evidence()...)
}

// codeNeedsLink is the code of a step that cannot be judged without an invitation.
const codeNeedsLink = "needs_link"

// socketBlocked reports whether the conference system's WebSocket was not opened, and the
// participant's network prevents WebSockets to the collector too.
func (f *facts) socketBlocked() bool {
	if f.web == nil || !isFalse(f.web.WebSocket) || f.web.WebSocketBy != "between" {
		return false
	}
	if f.strangerRefused() {
		return true
	}
	if !f.failedAt(report.StepSignalling, report.StepState) && !(f.failedAt(report.StepSignIn) && f.conference.probe == report.ProbeLiveKit) {
		return false
	}
	const firstCloseCode = 1000 // of a WebSocket that was open; below are the statuses of HTTP (RFC 6455 §7.4.2)
	status := f.conference.failedStatus()
	return 0 < status && status < firstCloseCode ||
		slices.Contains([]string{"not_api", "redirected", "redirect_loop", "cut_off", "refused", "timeout"}, f.conference.FailedCode)
}

// strangerRefused reports whether the conference system's WebSocket was refused without a sign-in,
// by the server or by a machine on the path. That of Janus was open then.
func (f *facts) strangerRefused() bool {
	return f.conference != nil && f.conference.probe != report.ProbeJanus &&
		slices.ContainsFunc(f.conference.Checks, func(c report.ConferenceCheck) bool {
			return (c.Name == report.StepSignalling || c.Name == report.StepState) && c.Code == codeNeedsLink
		})
}

// frontEndFails reports whether the web server of Zoom answers with an error.
func (f *facts) frontEndFails() bool {
	return f.failedAt(report.StepReach) && f.conference.probe == report.ProbeZoom && f.conference.failedStatus() != 0
}

// systemEnded reports whether the conference system itself ended a call, received the sound and
// did not forward it, or named an address that only its own network can use. This is not an
// effect of the line.
func (f *facts) systemEnded() bool {
	if f.failedAt(report.StepPath) && f.conference.FailedCode == "private_address" {
		return true
	}
	if f.failedAt(report.StepPath, report.StepKeys, report.StepSoundUp, report.StepSoundDown) &&
		(f.conference.failedStatus() != 0 || f.meetingGone() || slices.Contains([]string{"hung_up", "ejected"}, f.conference.FailedCode)) {
		return true
	}
	return f.failedAt(report.StepSoundUp, report.StepSoundDown) &&
		slices.Contains([]string{"cut_off", "no_track"}, f.conference.FailedCode)
}

// meetingGone reports whether the conference system does not know the test meeting, or
// has ended it.
func (f *facts) meetingGone() bool {
	return f.conference != nil && slices.Contains([]string{"meeting_not_found", "meeting_ended"}, f.conference.FailedCode)
}

// refused reports whether the conference system refused the participant of the test
// meeting with an error of its own.
func (f *facts) refused() bool {
	return f.failedAt(report.StepSignIn, report.StepState, report.StepCall) && slices.Contains([]string{
		"bad_signature", "wrong_password", "meeting_full", "guest_waits", "guest_denied", "join_refused", "session_expired", "ejected", "param_missing",
	}, f.conference.FailedCode)
}

// codeMicrophoneRefused is BigBlueButton's SFU_UNAUTHORIZED: bbb-webrtc-sfu checks the
// permission for the microphone before each call.
const codeMicrophoneRefused = "2301"

// microphoneRefused reports whether the conference system does not permit the
// participant to speak.
func (f *facts) microphoneRefused() bool {
	return f.failedAt(report.StepCall) && f.conference.probe == report.ProbeBBB && f.conference.FailedCode == codeMicrophoneRefused
}

// microphonesLocked reports whether the server locks the microphones of the participants
// of a meeting, unless its creator sets it otherwise.
func (f *facts) microphonesLocked() bool {
	return f.failedAt(report.StepCall) && f.conference.FailedCode == "microphone_locked"
}

// mutedInCall reports whether the conference system muted the participant during a call.
func (f *facts) mutedInCall() bool {
	return f.failedAt(report.StepSoundUp) && slices.Contains([]string{"muted_by_server", "mute_on_start"}, f.conference.FailedCode)
}

// conferencePath returns the path of the voice to the conference system; "" if it did
// not arrive.
func (f *facts) conferencePath() string {
	if f.conference == nil || f.conference.Media == nil || f.conference.Media.State != report.MediaComplete {
		return ""
	}
	return f.conference.Media.Path
}

// conferenceNoPath is a call to the conference system that found no path.
func (f *facts) conferenceNoPath() *finding {
	if !f.failedAt(report.StepPath) || f.systemEnded() {
		return nil
	}
	return disturbance(suggested, f.conference.evidence()...)
}

// conferenceMute is a call to the conference system without any sound. Where a system
// returns none or reports nothing, these steps do not fail. A server that reported the
// arrival of the sound and returned none has the fault itself: both directions share one path.
func (f *facts) conferenceMute() *finding {
	if f.systemEnded() || f.mutedInCall() {
		return nil
	}
	if !f.failedAt(report.StepKeys, report.StepSoundUp, report.StepSoundDown) {
		return nil
	}
	hit := disturbance(suggested, f.conference.evidence()...)
	if m := f.conference.Media; f.failedAt(report.StepSoundDown) && m != nil && m.UpReceived != nil && *m.UpReceived > 0 {
		hit.area = report.AreaMunicipality
	}
	return hit
}

// portsRejected is a network that rejects published ports of a system whose media path is not
// public. Such a client prefers UDP and falls back to the port of the web server, so rejected
// ports over TCP count only if none over UDP is known to be open.
func (f *facts) portsRejected() *finding {
	if f.conference == nil {
		return nil
	}
	var tcp, udp []string
	udpOpen := 0
	for _, p := range f.conference.Ports {
		switch {
		case p.Port == nil:
		case p.Protocol == "udp" && p.Answer == report.PortOpen:
			udpOpen++
		case p.Answer != report.PortRejected:
		case p.Protocol == "udp":
			udp = append(udp, strconv.Itoa(*p.Port))
		default:
			tcp = append(tcp, strconv.Itoa(*p.Port))
		}
	}
	var parts []string
	if len(tcp) > 0 {
		parts = append(parts, "TCP "+strings.Join(tcp, ", "))
	}
	if len(udp) > 0 {
		parts = append(parts, "UDP "+strings.Join(udp, ", "))
	}
	if len(parts) == 0 || len(udp) <= udpOpen && udpOpen > 0 {
		return nil
	}
	hit := disturbance(likely, observed(f.conference.probe, "ports", strings.Join(parts, "; "), ""))
	hit.area = report.AreaParticipant
	return hit
}

// conferenceOverTCP is a call to the conference system whose sound went over TCP.
func (f *facts) conferenceOverTCP() *finding {
	path := f.conferencePath()
	if !strings.HasSuffix(path, "tcp") && !strings.HasSuffix(path, "tls") {
		return nil
	}
	return disturbance(suggested, observed(f.conference.probe, "media.path", path, ""))
}

// conferenceOverRelay is a call whose sound took a relay of the conference system. A relay is
// used only if no direct path works (RFC 8445 §5.1.2). A long or lossy line may take so long
// for the direct path that the relay is first.
func (f *facts) conferenceOverRelay() *finding {
	path := f.conferencePath()
	if !strings.HasPrefix(path, "relay") || f.isFar() || f.lineLoses() {
		return nil
	}
	return disturbance(likely, observed(f.conference.probe, "media.path", path, ""))
}
