package confbench

import (
	"fmt"

	"github.com/tonprobe/tonprobe/probe/internal/testbench/bbbrig"
	"github.com/tonprobe/tonprobe/probe/report"
)

// healthy is the expected result of a scenario without a fault.
const healthy = "healthy"

// scenario is a line, a server and a fault of one of them.
type scenario struct {
	name, title string
	line        string // faults of the line, as in a scenario file of netbench
	serve       func(*site) error
	target      string // an address; "" is the name that serve added
	// expect contains the primary causes that are correct: several names of the same fault.
	expect []string
	area   report.Area // "" is not checked
	// remark means that the voice is not disturbed: the cause has severity info.
	remark bool
	of     system // whose figures are compared; "" for none
	subset bool
}

// system is a kind of server with sound.
type system string

const (
	ofJanus   system = "janus"
	ofLiveKit system = "livekit"
	ofBBB     system = "bbb"
	ofWHIP    system = "whip"
)

// Lines.
const (
	clear  = "[access.both]\ndelay_ms = 8\n"
	distal = "[access.both]\ndelay_ms = 35\n"
)

func lossUp(pct int) string   { return clear + fmt.Sprintf("[access.up]\nloss_pct = %d\n", pct) }
func lossDown(pct int) string { return clear + fmt.Sprintf("[access.down]\nloss_pct = %d\n", pct) }

// jitterUp delays packets by up to three times the mean change from one to the next, and
// lets them overtake each other.
func jitterUp(meanMS int) string {
	return clear + fmt.Sprintf("[access.up]\njitter = 'uniform'\njitter_ms = %d\novertaking = true\n", 3*meanMS)
}

// inOrderUp delays packets by up to mostMS; none overtakes another.
func inOrderUp(mostMS int) string {
	return clear + fmt.Sprintf("[access.up]\njitter = 'uniform'\njitter_ms = %d\n", mostMS)
}

// varyingBoth delays packets by up to 40 ms in order.
const varyingBoth = "[access.both]\ndelay_ms = 8\njitter = 'uniform'\njitter_ms = 40\n"

func blocked(what string) string { return clear + "[access.up]\nblock = [" + what + "]\n" }

var (
	none       = []string{healthy}
	upLoss     = []string{"net.upload_loss", "net.access_loss"}
	downLoss   = []string{"net.download_loss", "net.access_loss"}
	jitterHigh = []string{"net.jitter_high"}
	broken     = []string{"conf.server_error"}
	municipal  = report.AreaMunicipality
	zoomMedia  = "'udp/3478-3479', 'udp/8801-8810', 'tcp/8801-8802'"
	// nobody is the area of a fault that a firewall on the participant's side could also cause.
	nobody = report.AreaUnknown
)

const (
	janusHTTP = "https://janus.example.org:8089/janus"
	janusWS   = "wss://janus.example.org:8989"
	mediaUDP  = "'udp/7882','udp/20000-65535','udp/3490'"
)

func scenarios() []scenario {
	janus := func(s *site) error { return s.janus("", "", "") }
	liveKit := func(s *site) error { return s.liveKit("", "", "", longSecret) }
	bbb := func(faults map[bbbrig.Step]bbbrig.Fault) func(*site) error {
		return func(s *site) error { return s.bbb(part{Version: "3.0", Faults: faults}, "", bbbSecret) }
	}
	version := func(p part) func(*site) error {
		return func(s *site) error { return s.bbb(p, "", bbbSecret) }
	}
	one := func(step bbbrig.Step, fault bbbrig.Fault) func(*site) error {
		return bbb(map[bbbrig.Step]bbbrig.Fault{step: fault})
	}
	whip := func(s *site) error { return s.whip("", longSecret) }
	ingest := func(fault, certificate string) func(*site) error {
		return func(s *site) error {
			p, err := s.certified(part{Kind: "ingest", Listen: s.at(ingestPort), Host: "stream.example.org", Fault: fault}, certificate)
			if err != nil {
				return err
			}
			return s.serve(p)
		}
	}
	zoom := func(fault, certificate string) func(*site) error {
		return func(s *site) error { return s.front("us02web.zoom.us", zoomPort, "", fault, certificate) }
	}
	const stream, meeting = "rtmps://stream.example.org:1936", "https://us02web.zoom.us:8446/j/123456789"
	all := []scenario{
		// Janus.
		{name: "janus-clear", title: "Janus over HTTP", line: clear, serve: janus, target: janusHTTP, expect: none, of: ofJanus, subset: true},
		{name: "janus-socket", title: "Janus over WebSocket", line: clear, serve: janus, target: janusWS, expect: none, of: ofJanus},
		{name: "janus-far", title: "Janus, 35 ms each way", line: distal, serve: janus, target: janusHTTP, expect: none, of: ofJanus},
		{name: "janus-loss-1", title: "Janus, 1 % loss upstream", line: lossUp(1), serve: janus, target: janusHTTP, expect: none, of: ofJanus},
		{name: "janus-loss-up-5", title: "Janus, 5 % loss upstream", line: lossUp(5), serve: janus, target: janusHTTP, expect: upLoss, of: ofJanus},
		{name: "janus-loss-down-8", title: "Janus, 8 % loss downstream", line: lossDown(8), serve: janus, target: janusHTTP, expect: downLoss, of: ofJanus, subset: true},
		{name: "janus-loss-down-4", title: "Janus, 4 % loss downstream", line: lossDown(4), serve: janus, target: janusHTTP, expect: downLoss, of: ofJanus},
		{name: "janus-jitter-40", title: "Janus, 40 ms of jitter upstream", line: jitterUp(40), serve: janus, target: janusHTTP, expect: jitterHigh, of: ofJanus},
		{name: "janus-down", title: "Janus is not running, nginx is", line: clear, serve: func(s *site) error { return s.janus("", "down", "") }, target: janusHTTP, expect: broken, area: municipal},
		{name: "janus-refused", title: "nothing runs", line: clear, serve: func(*site) error { return nil }, target: janusHTTP, expect: []string{"conf.server_down"}, area: municipal},
		{name: "janus-500", title: "Janus behind nginx with errors", line: clear, serve: func(s *site) error { return s.janus("", "500", "") }, target: janusHTTP, expect: broken, area: municipal},
		{name: "janus-page", title: "a maintenance page in place of Janus", line: clear, serve: func(s *site) error { return s.janus("", "page", "") }, target: janusHTTP, expect: broken, area: municipal, subset: true},
		{name: "janus-secret", title: "Janus requires a secret", line: clear, serve: func(s *site) error { return s.janus(`api_secret = "x"`, "", "") }, target: janusHTTP, expect: none},
		{name: "janus-no-echo", title: "Janus without the EchoTest plugin", line: clear, serve: func(s *site) error {
			return s.janus("}\nplugins: {\n disable = \"libjanus_echotest.so\"", "", "")
		}, target: janusHTTP, expect: none},
		{name: "janus-expired", title: "Janus, the certificate has expired", line: clear, serve: func(s *site) error { return s.janus("", "", "expired") }, target: janusHTTP, expect: []string{"conf.cert_invalid"}, area: municipal},
		{name: "janus-slow", title: "Janus behind a slow nginx", line: clear, serve: func(s *site) error { return s.janus("", "slow", "") }, target: janusHTTP, expect: none},
		{name: "janus-endless", title: "an endless response in place of Janus", line: clear, serve: func(s *site) error { return s.janus("", "endless", "") }, target: janusHTTP, expect: broken, area: municipal},
		{name: "janus-blocked", title: "Janus, its UDP ports blocked", line: blocked("'udp/20000-65535'"), serve: janus, target: janusHTTP, expect: []string{"conf.ice_failed", "conf.media_ports_blocked"}, area: nobody},
		// LiveKit.
		{name: "livekit-clear", title: "LiveKit", line: clear, serve: liveKit, expect: none, of: ofLiveKit, subset: true},
		{name: "livekit-far", title: "LiveKit, 35 ms each way", line: distal, serve: liveKit, expect: none, of: ofLiveKit},
		{name: "livekit-loss-1", title: "LiveKit, 1 % loss downstream", line: lossDown(1), serve: liveKit, expect: none, of: ofLiveKit},
		{name: "livekit-loss-2", title: "LiveKit, 2 % loss upstream", line: lossUp(2), serve: liveKit, expect: none, of: ofLiveKit},
		{name: "livekit-loss-up-8", title: "LiveKit, 8 % loss upstream", line: lossUp(8), serve: liveKit, expect: upLoss, of: ofLiveKit},
		{name: "livekit-loss-down-5", title: "LiveKit, 5 % loss downstream", line: lossDown(5), serve: liveKit, expect: downLoss, of: ofLiveKit},
		{name: "livekit-jitter-10", title: "LiveKit, delays of up to 35 ms upstream", line: inOrderUp(35), serve: liveKit, expect: none, of: ofLiveKit},
		{name: "livekit-jitter-35", title: "LiveKit, 35 ms of jitter upstream", line: jitterUp(35), serve: liveKit, expect: jitterHigh, of: ofLiveKit},
		{name: "livekit-relay", title: "LiveKit with a relay", line: clear, serve: func(s *site) error { return s.liveKit(relay, "", "", longSecret) }, expect: none, of: ofLiveKit},
		{name: "livekit-down", title: "LiveKit is not running, nginx is", line: clear, serve: func(s *site) error { return s.liveKit("", "down", "", longSecret) }, expect: broken, area: municipal},
		{name: "livekit-token", title: "LiveKit has another key than the collector", line: clear, serve: func(s *site) error { return s.liveKit("", "", "", "another"+longSecret) }, expect: broken, area: municipal},
		{name: "livekit-tcp-only", title: "LiveKit, its UDP port blocked", line: blocked("'udp/7882'"), serve: liveKit, expect: []string{"conf.tcp_only"}, area: nobody, subset: true},
		{name: "livekit-blocked", title: "LiveKit, its ports for sound blocked", line: blocked("'udp/7882','tcp/7881'"), serve: liveKit, expect: []string{"conf.ice_failed", "conf.media_ports_blocked"}, area: nobody},
		{name: "livekit-wrong-name", title: "LiveKit with the certificate of another name", line: clear, serve: func(s *site) error { return s.liveKit("", "", "wrong_name", longSecret) }, expect: []string{"conf.cert_invalid"}, area: municipal},
		// BigBlueButton.
		{name: "bbb-clear", title: "BigBlueButton 3.0", line: clear, serve: bbb(nil), expect: none, of: ofBBB, subset: true},
		{name: "bbb-far", title: "BigBlueButton, 35 ms each way", line: distal, serve: bbb(nil), expect: none, of: ofBBB},
		{name: "bbb-loss-1", title: "BigBlueButton, 1 % loss upstream", line: lossUp(1), serve: bbb(nil), expect: none, of: ofBBB},
		{name: "bbb-loss-down-1", title: "BigBlueButton, 1 % loss downstream", line: lossDown(1), serve: bbb(nil), expect: none, of: ofBBB},
		{name: "bbb-jitter", title: "BigBlueButton, delays of up to 40 ms both ways", line: varyingBoth, serve: bbb(nil), expect: none, of: ofBBB},
		{name: "bbb-loss-up-5", title: "BigBlueButton, 5 % loss upstream", line: lossUp(5), serve: bbb(nil), expect: upLoss, of: ofBBB},
		{name: "bbb-loss-down-5", title: "BigBlueButton, 5 % loss downstream", line: lossDown(5), serve: bbb(nil), expect: downLoss, of: ofBBB},
		{name: "bbb-loss-up-8", title: "BigBlueButton, 8 % loss upstream", line: lossUp(8), serve: bbb(nil), expect: upLoss, of: ofBBB},
		{name: "bbb-27-clear", title: "BigBlueButton 2.7", line: clear, serve: version(part{Version: "2.7"}), expect: none, of: ofBBB},
		{name: "bbb-27-loss-up-8", title: "BigBlueButton 2.7, 8 % loss upstream", line: lossUp(8), serve: version(part{Version: "2.7"}), expect: upLoss, of: ofBBB},
		{name: "bbb-27-ended", title: "BigBlueButton 2.7, the meeting has ended", line: clear, serve: version(part{Version: "2.7", Faults: map[bbbrig.Step]bbbrig.Fault{bbbrig.State: bbbrig.Ended}}), expect: []string{"conf.meeting_not_found"}, area: municipal},
		{name: "bbb-40-clear", title: "BigBlueButton 4.0 with the SFU", line: clear, serve: version(part{Version: "4.0", Bridge: "bbb-webrtc-sfu"}), expect: none, of: ofBBB},
		{name: "bbb-40-loss-down-8", title: "BigBlueButton 4.0 with the SFU, 8 % loss downstream", line: lossDown(8), serve: version(part{Version: "4.0", Bridge: "bbb-webrtc-sfu"}), expect: downLoss, of: ofBBB},
		{name: "bbb-no-link", title: "BigBlueButton by its address alone", line: clear, serve: bbb(nil), target: "https://bbb.example.org:8444", expect: none},
		{name: "bbb-not-found", title: "the meeting does not exist", line: clear, serve: one(bbbrig.Join, bbbrig.Expired), expect: []string{"conf.meeting_not_found"}, area: municipal, subset: true},
		{name: "bbb-ended", title: "the meeting has ended", line: clear, serve: one(bbbrig.Join, bbbrig.Ended), expect: []string{"conf.meeting_not_found"}, area: municipal},
		{name: "bbb-meeting-full", title: "the meeting is full", line: clear, serve: one(bbbrig.Join, bbbrig.Full), expect: broken, area: municipal},
		{name: "bbb-connections", title: "the limit of connections is reached", line: clear, serve: one(bbbrig.State, bbbrig.Full), expect: broken, area: municipal},
		{name: "bbb-session", title: "the sign-in has expired", line: clear, serve: one(bbbrig.Meeting, bbbrig.Expired), expect: broken, area: municipal},
		{name: "bbb-microphone", title: "the microphone is not permitted", line: clear, serve: one(bbbrig.Call, bbbrig.Refuses), expect: []string{"conf.muted_by_server"}, area: municipal},
		{name: "bbb-full", title: "the media server has no resources", line: clear, serve: one(bbbrig.Call, bbbrig.Full), expect: broken, area: municipal},
		{name: "bbb-sfu-closes", title: "the WebSocket of the SFU closes", line: clear, serve: one(bbbrig.Signalling, bbbrig.Closes), expect: broken, area: municipal},
		{name: "bbb-sfu-down", title: "the SFU is not running", line: clear, serve: one(bbbrig.Signalling, bbbrig.Down), expect: broken, area: municipal},
		{name: "bbb-hangs-up", title: "the media server ends during the call", line: clear, serve: one(bbbrig.Sound, bbbrig.HangsUp), expect: broken, area: municipal},
		{name: "bbb-silent", title: "the sound does not come back", line: clear, serve: one(bbbrig.Sound, bbbrig.Silent), expect: []string{"conf.media_not_flowing"}, area: municipal, subset: true},
		{name: "bbb-dead-path", title: "the media server announces a dead address", line: clear, serve: one(bbbrig.Path, bbbrig.Dead), expect: []string{"conf.ice_failed", "conf.media_ports_blocked"}, area: nobody},
		{name: "bbb-wrong-key", title: "the media server has another key than announced", line: clear, serve: one(bbbrig.Keys, bbbrig.WrongKey), expect: []string{"conf.media_not_flowing"}, area: nobody},
		{name: "bbb-page", title: "a maintenance page in place of BigBlueButton", line: clear, serve: one(bbbrig.API, bbbrig.HTML), expect: broken, area: municipal},
		{name: "bbb-elsewhere", title: "BigBlueButton redirects to another host", line: clear, serve: one(bbbrig.API, bbbrig.Elsewhere), expect: broken, area: municipal},
		{name: "bbb-blocked", title: "BigBlueButton, its UDP ports blocked", line: blocked("'udp/10000-65535'"), serve: bbb(nil), expect: []string{"conf.ice_failed", "conf.media_ports_blocked"}, area: nobody},
		{name: "bbb-relay-expired", title: "the relay's credentials have expired", line: clear, serve: func(s *site) error {
			return s.bbb(part{Version: "3.0", Stuns: bbbrig.RelayList("1:old", "c2VjcmV0", "turn:"+s.at(3478)+"?transport=udp")}, "", bbbSecret)
		}, expect: []string{"conf.turn_denied"}, remark: true, area: municipal},
		{name: "bbb-relay-denies", title: "the relay denies the media server", line: clear, serve: func(s *site) error {
			if err := s.relay(); err != nil {
				return err
			}
			return s.bbb(part{Version: "3.0", Stuns: bbbrig.RelayList("bbb", "secret", "turn:"+s.at(relayPort)+"?transport=udp")}, "", bbbSecret)
		}, expect: []string{"conf.turn_denied"}, remark: true, area: municipal},
		// WHIP.
		{name: "whip-clear", title: "the reflector as a WHIP endpoint", line: clear, serve: whip, expect: none, of: ofWHIP, subset: true},
		{name: "whip-far", title: "WHIP, 35 ms each way", line: distal, serve: whip, expect: none, of: ofWHIP},
		{name: "whip-loss-1", title: "WHIP, 1 % loss downstream", line: lossDown(1), serve: whip, expect: none, of: ofWHIP},
		{name: "whip-loss-up-5", title: "WHIP, 5 % loss upstream", line: lossUp(5), serve: whip, expect: upLoss, of: ofWHIP},
		{name: "whip-loss-down-8", title: "WHIP, 8 % loss downstream", line: lossDown(8), serve: whip, expect: downLoss, of: ofWHIP},
		{name: "whip-jitter", title: "WHIP, delays of up to 50 ms upstream", line: inOrderUp(50), serve: whip, expect: none, of: ofWHIP},
		{name: "whip-jitter-40", title: "WHIP, 40 ms of jitter upstream", line: jitterUp(40), serve: whip, expect: jitterHigh, of: ofWHIP},
		{name: "whip-token", title: "WHIP with another secret than the collector", line: clear, serve: func(s *site) error { return s.whip("", "another") }, expect: broken, area: municipal},
		{name: "whip-expired", title: "WHIP, the certificate has expired", line: clear, serve: func(s *site) error { return s.whip("expired", longSecret) }, expect: []string{"conf.cert_invalid"}, area: municipal},
		{name: "whip-blocked", title: "WHIP, its ports for sound blocked", line: blocked("'udp/3490','tcp/3490','udp/3500','tcp/3500'"), serve: whip, expect: []string{"conf.ice_failed", "conf.media_ports_blocked"}, area: nobody},
		{name: "whip-loss-3", title: "WHIP, 3 % loss upstream, the limit", line: lossUp(3), serve: whip, expect: append([]string{healthy}, upLoss...), of: ofWHIP},
		// The public stream.
		{name: "stream-clear", title: "an ingest of RTMPS", line: clear, serve: ingest("", ""), target: stream, expect: none, subset: true},
		{name: "stream-far", title: "an ingest, 35 ms each way", line: distal, serve: ingest("", ""), target: stream, expect: none},
		{name: "stream-loss-1", title: "an ingest, 1 % loss upstream", line: lossUp(1), serve: ingest("", ""), target: stream, expect: none},
		{name: "stream-web", title: "a web server in place of the ingest", line: clear, serve: ingest("web", ""), target: stream, expect: []string{"conf.ingest_unreachable"}},
		{name: "stream-refused", title: "the ingest is not running", line: clear, serve: func(*site) error { return nil }, target: stream, expect: []string{"conf.ingest_unreachable"}},
		{name: "stream-certificate", title: "the ingest has the certificate of another name", line: clear, serve: ingest("", "wrong_name"), target: stream, expect: []string{"conf.ingest_unreachable"}},
		// Zoom: only its web server is simulated.
		{name: "zoom-clear", title: "Zoom's web server", line: clear, serve: zoom("", ""), target: meeting, expect: none},
		{name: "zoom-country", title: "Zoom redirects by country", line: clear, serve: zoom("country", ""), target: meeting, expect: none},
		{name: "zoom-far", title: "Zoom's web server, 35 ms each way", line: distal, serve: zoom("", ""), target: meeting, expect: none},
		{name: "zoom-ports-dropped", title: "a firewall drops packets to Zoom's ports for sound", line: blocked(zoomMedia), serve: zoom("", ""), target: meeting, expect: none},
		{name: "zoom-ports-rejected", title: "a firewall rejects packets to Zoom's ports for sound", line: blocked(zoomMedia) + "reject = true\n", serve: zoom("", ""), target: meeting, expect: []string{"conf.media_ports_blocked"}, area: report.AreaParticipant},
		{name: "zoom-jitter", title: "Zoom, delays of up to 40 ms each way", line: varyingBoth, serve: zoom("", ""), target: meeting, expect: none},
		{name: "zoom-ports-jitter", title: "the same, and a firewall rejects packets to Zoom's ports for sound", line: varyingBoth + "[access.up]\nblock = [" + zoomMedia + "]\nreject = true\n", serve: zoom("", ""), target: meeting, expect: []string{"conf.media_ports_blocked"}, area: report.AreaParticipant},
		{name: "zoom-ports-tcp", title: "a firewall rejects packets to Zoom's ports over TCP only", line: blocked("'tcp/8801-8802'") + "reject = true\n", serve: zoom("", ""), target: meeting, expect: none},
		{name: "zoom-503", title: "Zoom's web server is out of order", line: clear, serve: zoom("503", ""), target: meeting, expect: []string{"conf.server_error", "conf.server_down"}},
	}
	return all
}

// relay are the settings of LiveKit's relay.
var relay = fmt.Sprintf("turn: {enabled: true, domain: livekit.example.org, udp_port: %d, relay_range_start: 41000, relay_range_end: 41100}\n", liveKitRelay)
