package diagnose

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// conferenceDefinitions are the causes that only a check of the conference system
// itself can find.
func conferenceDefinitions() []Definition {
	return []Definition{
		{
			Code: "conf.muted_by_server", Position: 1250, Severity: report.SeverityFail, Area: report.AreaMunicipality,
			Needs:        []string{report.ProbeLiveKit, report.ProbeBBB},
			SuppressedBy: noWeb(),
			rule:         mutedByServer,
		},
		{
			Code: "conf.meeting_not_found", Position: 1260, Severity: report.SeverityWarn, Area: report.AreaMunicipality,
			Needs:        []string{report.ProbeBBB},
			SuppressedBy: noWeb(),
			rule:         meetingNotFound,
		},
		{
			Code: "conf.version_old", Position: 2640, Severity: report.SeverityInfo, Area: report.AreaMunicipality,
			Needs:        []string{report.ProbeBBB},
			SuppressedBy: noWeb(),
			rule:         versionOld,
		},
		{
			Code: "conf.turn_denied", Position: 1830, Severity: report.SeverityWarn, Area: report.AreaMunicipality,
			Needs:        []string{report.ProbeLiveKit, report.ProbeBBB},
			SuppressedBy: slices.Concat(noWeb(), []string{"net.udp_blocked"}),
			rule:         turnDenied,
		},
		{
			Code: "conf.ingest_unreachable", Position: 1230, Severity: report.SeverityFail, Area: report.AreaUnknown,
			Needs:        []string{report.ProbeYouTube, report.ProbeNetworkWeb},
			SuppressedBy: slices.Concat(noWeb(), []string{"net.tls_intercepted"}),
			streamOnly:   true,
			rule:         ingestUnreachable,
		},
		{
			Code: "conf.ingest_uplink_low", Position: 2630, Severity: report.SeverityWarn, Area: report.AreaProvider,
			Needs:        []string{report.ProbeYouTube, report.ProbeMediaLoad},
			SuppressedBy: slices.Concat(noAccess(), []string{"net.bandwidth_low_up"}),
			streamOnly:   true,
			rule:         ingestUplinkLow,
		},
	}
}

// mutedByServer is a conference system that mutes the participant of a test room with
// nobody else in it, or does not permit them to speak in a test meeting.
func mutedByServer(f *facts) *finding {
	switch {
	case f.microphoneRefused(), f.mutedInCall() && f.conference.FailedCode != "mute_on_start":
		return fault(likely, f.conference.evidence()...)
	case f.microphonesLocked(), f.mutedInCall():
		// A setting, which a moderator of the session can lift.
		return disturbance(stated, f.conference.evidence()...)
	}
	return nil
}

// meetingNotFound is a test meeting that the conference system created a moment ago and
// no longer knows, as after a restart. The session itself may exist.
func meetingNotFound(f *facts) *finding {
	if !f.meetingGone() {
		return nil
	}
	hit := disturbance(stated, f.conference.evidence()...)
	hit.blind = true
	return hit
}

// versionOld is a BigBlueButton whose client transports the sound in a way that this
// program does not support, so that the sound is not tested.
func versionOld(f *facts) *finding {
	if f.conference == nil || f.conference.probe != report.ProbeBBB || f.conference.Version == "" {
		return nil
	}
	if step, _ := f.conference.Check(report.StepState); step.Code != "old_version" {
		return nil
	}
	return &finding{
		severity: report.SeverityInfo, confidence: stated,
		evidence: []report.Evidence{observed(f.conference.probe, "version", f.conference.Version, "")},
	}
}

// turnDenied is a relay of the conference system that accepts the participant's packets
// but does not forward them to the media server of the same system. It does not affect
// those who need no relay, unless the system makes its clients use it.
func turnDenied(f *facts) *finding {
	if f.conference == nil {
		return nil
	}
	var hit *finding
	step, _ := f.conference.Check(report.StepPathRelay)
	relay, _ := f.conference.Check(report.StepRelay)
	switch {
	case relay.Status == report.StatusFail && slices.Contains([]string{"denied", "auth_failed", "quota"}, relay.Code):
		// The server issued the credentials itself, or its relay has no address left.
		hit = disturbance(likely, observed(f.conference.probe, "relays.error", relay.Code, ""))
	case relay.Status == report.StatusFail && relay.Code == "certificate" && f.web != nil && f.web.TLSMS != nil && !isTrue(f.web.TLSIntercepted):
		// Browsers do not use a relay whose certificate they reject.
		hit = disturbance(suggested, observed(f.conference.probe, "relays.error", "tls", ""))
	case f.failedAt(report.StepRelay) && f.conference.FailedCode == "denied":
		hit = disturbance(likely, f.conference.evidence()...)
	case isFalse(f.conference.PathRelay) && step.Code == "no_path":
		// With another code the relay itself was not reached, which may be due to the
		// participant's firewall.
		hit = disturbance(likely, observed(f.conference.probe, "path_relay", false, ""))
	default:
		return nil
	}
	forced := f.forcedOntoRelay(relay.Code)
	if forced != "" {
		hit.evidence = append(hit.evidence, observed(f.conference.probe, "relay_forced", forced, ""))
	}
	if m := f.conference.Media; m != nil && m.Path != "" {
		// This program uses every path that it finds.
		if forced != report.RelayForcedAll {
			hit.severity = report.SeverityInfo
		}
		hit.supporting = []report.Evidence{observed(f.conference.probe, "media.path", m.Path, "")}
	}
	return hit
}

// forcedOntoRelay returns who has no other way than a relay that fails with a code. The
// client for the SFU looks for a relay that assigns an address first, and uses other ways if
// there is none, as with wrong credentials, a full relay or a rejected certificate; that for LiveKit does so with Firefox only.
func (f *facts) forcedOntoRelay(code string) string {
	if forced := f.conference.RelayForced; !slices.Contains([]string{"auth_failed", "quota", "certificate"}, code) || f.conference.Bridge == "livekit" && forced == report.RelayForcedAll {
		return forced
	}
	return ""
}

// ingestUnreachable is an ingest that accepts no connection or does not speak RTMP,
// while the line works.
func ingestUnreachable(f *facts) *finding {
	if !f.failedAt(report.StepReach, report.StepHandshake) || f.conference.probe != report.ProbeYouTube {
		return nil
	}
	confidence := suggested
	switch {
	case f.web != nil && !f.webReached():
		return nil // the line, or the path to any server
	case f.conference.FailedCode == "certificate", f.conference.FailedCode == "not_rtmp", f.conference.FailedCode == "refused":
		confidence = likely
	}
	return fault(confidence, f.conference.evidence()...)
}

// ingestUplinkLow is a line with a lower rate up than a stream needs, including a
// reserve.
func ingestUplinkLow(f *facts) *finding {
	if f.conference == nil || f.conference.probe != report.ProbeYouTube || f.load == nil {
		return nil
	}
	kbps, ok := number(f.load.UpKbps)
	severity, limit, passed := f.Link.IngestUpKbps.below(kbps)
	if !ok || !passed {
		return nil
	}
	return &finding{
		severity: severity, confidence: byRatio(limit, kbps), endpoint: report.EndpointConference,
		evidence: []report.Evidence{under(report.ProbeMediaLoad, "up_kbps", kbps, "kbit/s", limit)},
	}
}
