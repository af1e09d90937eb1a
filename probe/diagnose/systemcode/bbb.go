package systemcode

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// bbbCodes returns the codes of BigBlueButton (docs.bigbluebutton.org, "Audio error
// codes", and locales/en.json of the versions 2.4 to 4.0).
func bbbCodes() []Code {
	noUDP := []string{"net.udp_blocked", "net.turn_required", "net.turn_unreachable", "net.turn_auth_failed", "conf.media_ports_blocked", "conf.ice_failed", "net.nat_symmetric", "net.port_blocked", "conf.tcp_only"}
	webSocket := []string{"net.websocket_blocked", "net.proxy_required", "net.port_blocked", "conf.server_down", "conf.server_error"}
	unstable := []string{"net.lan_loss", "net.access_loss", "net.upload_loss", "net.download_loss", "net.wifi_weak", "net.jitter_high", "net.latency_high"}
	// A negotiation takes too long because of the signalling or because of the path.
	slow := slices.Clone(noUDP)
	for _, code := range webSocket {
		if !slices.Contains(slow, code) {
			slow = append(slow, code)
		}
	}
	// These concern the path of the packets, the call to the media server, and the sound.
	path := []report.ConferenceStep{report.StepPath}
	call := []report.ConferenceStep{report.StepCall}
	sound := []report.ConferenceStep{report.StepPath, report.StepKeys, report.StepSoundUp}
	all := []Code{
		{Number: "0", Area: report.AreaUnknown},
		{Number: "1001", Aliases: []string{"1301"}, Area: report.AreaUnknown, Causes: append(unstable[:len(unstable):len(unstable)], "net.websocket_blocked"), BySIP: true},
		{Number: "1002", Aliases: []string{"1302"}, Area: report.AreaParticipant, Causes: webSocket, Steps: []report.ConferenceStep{report.StepSignalling}, BySIP: true},
		{Number: "1003", Area: report.AreaParticipant, BySIP: true},
		{Number: "1004", Area: report.AreaUnknown, Causes: []string{"audio.speaker_silent", "audio.wrong_device", "net.udp_blocked"}, Beyond: true, BySIP: true},
		{Number: "1005", Aliases: []string{"1305"}, Area: report.AreaUnknown, Causes: unstable, Steps: append(call[:1:1], sound...), BySIP: true},
		{Number: "1006", Area: report.AreaMunicipality, Steps: call, BySIP: true},
		{Number: "1007", Aliases: []string{"1307"}, Area: report.AreaParticipant, Causes: noUDP, Steps: path, InBrowser: true, BySIP: true},
		{Number: "1008", Area: report.AreaMunicipality, BySIP: true},
		{Number: "1009", Area: report.AreaMunicipality, Causes: []string{"conf.server_error", "conf.server_down", "net.proxy_required"}, BySIP: true},
		{Number: "1010", Area: report.AreaUnknown, Causes: slow, Steps: append([]report.ConferenceStep{report.StepSignalling, report.StepCall}, path...), InBrowser: true, BySIP: true},
		{Number: "1011", Area: report.AreaMunicipality},
		{Number: "1020", Area: report.AreaParticipant, Causes: noUDP, Steps: sound, InBrowser: true},
		{Number: "1107", Area: report.AreaParticipant, Causes: noUDP, Steps: path, InBrowser: true},
		{Number: "2001", Aliases: []string{"2000", "2002", "2003", "2200", "2201", "2202", "2208", "2209"}, Area: report.AreaMunicipality, Steps: call},
		{Number: "2004", Aliases: []string{"2019"}, Area: report.AreaMunicipality, Steps: call},
		{Number: "2020", Area: report.AreaMunicipality, Steps: call},
		{Number: "2021", Area: report.AreaUnknown, Causes: noUDP, Steps: path, InBrowser: true},
		{Number: "2022", Area: report.AreaUnknown, Causes: noUDP, Steps: sound},
		{Number: "2203", Aliases: []string{"2210", "2211"}, Area: report.AreaMunicipality, Steps: call},
		{Number: "2300", Area: report.AreaMunicipality, Steps: call},
		{Number: "2301", Area: report.AreaMunicipality, Causes: []string{"conf.muted_by_server"}, Steps: call},
		{Number: "2302", Aliases: []string{"2303"}, Area: report.AreaMunicipality, Steps: call},
		{Number: "3001", Area: report.AreaUnknown, Causes: unstable},
		{Number: "3002", Area: report.AreaUnknown, Causes: append([]string{"net.latency_high", "net.bufferbloat"}, unstable...)},
		{Number: "3003", Area: report.AreaMunicipality, Causes: []string{"conf.server_down", "conf.server_error"}},
		{Number: "3004", Area: report.AreaUnknown, Causes: unstable},
		{Number: "3005", Area: report.AreaUnknown, Causes: append([]string{"net.bandwidth_low_down", "net.bufferbloat"}, unstable...)},
		{Number: "3006", Area: report.AreaMunicipality, Causes: []string{"conf.server_error"}, Steps: []report.ConferenceStep{report.StepState}},
		{Number: "7", Area: report.AreaParticipant, Causes: []string{"audio.privacy_blocked", "audio.no_microphone", "audio.in_use"}, Beyond: true},
		{Number: "8", Area: report.AreaParticipant, Causes: []string{"audio.privacy_blocked"}, Beyond: true},
		{Number: "9", Area: report.AreaMunicipality, Causes: []string{"conf.cert_invalid"}, Beyond: true},
	}
	for i := range all {
		all[i].System = "bbb"
	}
	return all
}
