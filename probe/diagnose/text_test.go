package diagnose_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

func texts(t *testing.T, lang phrase.Lang) *phrase.Book {
	t.Helper()
	b, err := phrase.Load(os.DirFS("texts"), lang)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestLanguagesSayTheSame(t *testing.T) {
	for _, complaint := range phrase.Compare(texts(t, phrase.DE), texts(t, phrase.EN)) {
		t.Error(complaint)
	}
}

// endForms are variants for evidence with more detail: when the fault began, or why.
func endForms() []string {
	return []string{
		"audio.digital_silence.sentence_with_end_silence_ms",
		"conf.media_not_flowing.sentence_failed_code_nothing_came_back", "conf.media_not_flowing.action_failed_code_nothing_came_back",
		"audio.no_server.sentence_with_server_gone", "audio.no_server.action_with_server_gone",
		"audio.os_muted.sentence_with_muted_after_ms", "audio.os_volume_low.sentence_with_volume_after_ms",
		"audio.wrong_device.sentence_with_device", "audio.wrong_device.action_with_device",
		"audio.speaker_silent.sentence_with_os_muted", "audio.speaker_silent.action_with_os_muted",
		"audio.no_server.sentence_no_sound_reason_no_sound_system", "audio.no_server.action_no_sound_reason_no_sound_system",
		"audio.no_user_session.sentence_no_sound_reason_other_user", "audio.no_user_session.action_no_sound_reason_other_user",
		"audio.no_user_session.sentence_no_sound_reason_no_login", "audio.no_user_session.action_no_sound_reason_no_login",
		"audio.rerouted.action_with_default_changed", "host.device_unplugged.sentence_with_end_device",
		"host.power_saving.sentence_with_throttled", "host.power_saving.action_with_throttled",
	}
}

func TestEveryCodeHasItsTextsAndNoOther(t *testing.T) {
	want, may := map[string]bool{}, map[string]bool{}
	for _, d := range diagnose.Catalogue() {
		for _, part := range []string{"sentence", "action", "hint", "rule"} {
			want["cause."+d.Code+"."+part] = true
		}
		// Variants for evidence that contains the name.
		for _, part := range []string{"sentence", "action"} {
			may["cause."+d.Code+"."+part+"_named"] = true
		}
	}
	// Variants for evidence with this value.
	may["cause.audio.no_speech.sentence_with_syllabic_ms"] = true
	may["cause.audio.too_quiet.sentence_with_voice_channel"], may["cause.audio.too_quiet.action_with_voice_channel"] = true, true
	may["cause.audio.inverted_channel.sentence_with_native_channels"] = true
	for _, part := range []string{"sentence", "action"} {
		may["cause.audio.privacy_blocked."+part+"_backend_browser"], may["cause.audio.in_use."+part+"_backend_browser"] = true, true
		may["cause.net.tls_intercepted."+part+"_tls_inspector_network"], may["cause.net.tls_intercepted."+part+"_tls_inspector_scanner"] = true, true
	}
	for _, code := range []string{"server_down", "server_error", "cert_invalid", "media_ports_blocked", "tcp_only", "media_not_flowing", "ice_failed"} {
		may["cause.conf."+code+".sentence_of_conference"], may["cause.conf."+code+".sentence_of_collector"] = true, true
	}
	may["cause.conf.server_error.sentence_of_conference_area_unknown"] = true
	for _, code := range []string{"private_address", "bad_signature", "token_refused", "meeting_full", "guest_waits", "guest_denied"} {
		may["cause.conf.server_error.sentence_failed_code_"+code], may["cause.conf.server_error.action_failed_code_"+code] = true, true
	}
	may["cause.conf.server_error.sentence_with_tls_intercepted"], may["cause.conf.server_error.action_with_tls_intercepted"] = true, true
	for _, code := range []string{"upload_loss", "download_loss", "jitter_high", "lan_loss"} {
		may["cause.net."+code+".action_kind_ethernet"], may["cause.net."+code+".action_kind_cellular"] = true, true
	}
	for _, code := range []string{"no_microphone", "digital_silence"} {
		may["cause.audio."+code+".sentence_with_remote_session"], may["cause.audio."+code+".action_with_remote_session"] = true, true
	}
	may["cause.audio.digital_silence.action_with_is_bluetooth"], may["cause.audio.no_speech.action_with_is_bluetooth"] = true, true
	may["cause.net.mtu_blackhole.sentence_with_stage"] = true
	may["cause.conf.cert_invalid.sentence_with_tls_incomplete"], may["cause.conf.cert_invalid.action_with_tls_incomplete"] = true, true
	may["cause.audio.not_default.sentence_with_comms_device"], may["cause.audio.not_default.action_with_comms_device"] = true, true
	for _, form := range []string{"sentence_relay_forced_firefox", "action_relay_forced_firefox", "sentence_relay_forced_all"} {
		may["cause.conf.turn_denied."+form] = true
	}
	may["cause.net.latency_high.action_with_vpn"], may["cause.net.latency_high.action_kind_cellular"] = true, true
	may["cause.net.reordering.action_with_vpn"] = true
	for _, from := range []string{"municipality", "collector"} {
		may["cause.net.dns_failure.sentence_address_from_"+from], may["cause.net.dns_failure.action_address_from_"+from] = true, true
	}
	for _, kind := range []string{"not_found", "search_domain", "hijacked", "hidden"} {
		may["cause.net.dns_failure.sentence_dns_error_"+kind], may["cause.net.dns_failure.action_dns_error_"+kind] = true, true
	}
	for _, place := range []string{
		"line_silent", "line_router_silent", "gateway_state_unreachable",
		"uplink_no_link", "uplink_no_address", "uplink_self_assigned", "uplink_no_route",
	} {
		may["cause.net.offline.sentence_"+place], may["cause.net.offline.action_"+place] = true, true
	}
	for _, form := range []string{"sentence_websocket_by_unknown", "sentence_websocket_by_server", "action_websocket_by_server"} {
		may["cause.net.websocket_blocked."+form] = true
	}
	for _, form := range []string{
		"sentence_with_beside_proxy", "sentence_proxy_fault_forbidden", "sentence_proxy_fault_redirect", "sentence_proxy_fault_certificate",
		"sentence_proxy_fault_failing", "sentence_proxy_fault_script", "sentence_proxy_fault_script_missing", "sentence_proxy_fault_script_gone",
		"action_with_beside_proxy", "action_proxy_fault_forbidden", "action_proxy_fault_redirect",
	} {
		may["cause.net.proxy_failed."+form] = true
	}
	for _, form := range []string{
		"wifi_dropped.sentence_timed", "wifi_dropped.sentence_named_timed", "sleep_resume.sentence_timed", "client_hung.sentence_named_timed",
		"device_lost.sentence_timed", "connection_lost.sentence_timed", "connection_lost.sentence_named_timed",
		"device_lost.sentence_detail_usb_disconnect", "device_lost.sentence_detail_usb_disconnect_timed", "device_lost.sentence_detail_usb_reset",
		"device_lost.action_detail_usb_disconnect", "device_lost.action_detail_usb_reset",
		"connection_lost.action_detail_link", "connection_lost.action_detail_router",
	} {
		may["cause.host."+form] = true
	}
	for _, detail := range []string{"link", "router", "beyond_router"} {
		for _, form := range []string{"", "_timed", "_named_timed"} {
			may["cause.host.connection_lost.sentence_detail_"+detail+form] = true
		}
	}
	may["cause.net.udp_blocked.sentence_with_transmissions"] = true
	for _, by := range []string{"lan", "house", "provider"} {
		may["cause.net.port_blocked.sentence_rejected_by_"+by] = true
	}
	for _, form := range endForms() {
		may["cause."+form] = true
	}
	for _, lang := range phrase.Langs() {
		b := texts(t, lang)
		for key := range want {
			if !b.Has(key) {
				t.Errorf("%s: %s is missing", lang, key)
			}
		}
		for _, key := range b.Keys() {
			if strings.HasPrefix(key, "cause.") && !want[key] && !may[key] {
				t.Errorf("%s: %s has no code", lang, key)
			}
		}
	}
}

func TestExplainIsFilledAndShort(t *testing.T) {
	for _, d := range diagnose.Catalogue() {
		for _, lang := range phrase.Langs() {
			for _, name := range diagnose.ProfileNames() {
				text, ok := diagnose.ExplainBy(d.Code, lang, profile(t, name))
				if !ok {
					t.Fatalf("%s is not explained", d.Code)
				}
				for _, s := range []string{text.Sentence, text.Action, text.Hint, text.Rule} {
					if strings.ContainsAny(s, "{}‹") || strings.Contains(s, "–") {
						t.Errorf("%s %s %s: not filled in: %s", d.Code, lang, name, s)
					}
				}
				for _, s := range []string{text.Sentence, text.Action} {
					if n := utf8.RuneCountInString(s); n > 100 {
						t.Errorf("%s %s: %d characters, too long for the screen: %s", d.Code, lang, n, s)
					}
				}
				if strings.Count(text.Action, ".") != 1 || !strings.HasSuffix(text.Action, ".") {
					t.Errorf("%s %s: want exactly one action: %s", d.Code, lang, text.Action)
				}
			}
		}
	}
	if _, ok := diagnose.Explain("net.nonsense", phrase.DE); ok {
		t.Error("an unknown code has an explanation")
	}
}

// TestOfflineTextDependsOnTheSegment: without a network the computer must be connected;
// at a router that is off or has no line, the router must be checked. Each is one
// action, and none disconnects the telephone.
func TestOfflineTextDependsOnTheSegment(t *testing.T) {
	for _, lang := range phrase.Langs() {
		general, _ := diagnose.Explain("net.offline", lang)
		for _, c := range []struct {
			probe, field, value string
			router, own         bool // contains the word router; differs from the general text
		}{
			{report.ProbeNetworkPath, "line", "cut", false, false},
			{report.ProbeNetworkPath, "line", "silent", true, true},
			{report.ProbeNetworkPath, "line", "router_silent", true, true},
			{report.ProbeNetworkLink, "gateway_state", "unreachable", true, true},
			{report.ProbeNetworkLink, "uplink", "no_link", false, true},
			{report.ProbeNetworkLink, "uplink", "no_address", false, true},
			{report.ProbeNetworkLink, "uplink", "self_assigned", false, true},
			{report.ProbeNetworkLink, "uplink", "no_route", false, true},
			{report.ProbeNetworkWeb, "online", "", false, false},
		} {
			got, ok := diagnose.ExplainCause(report.Cause{Code: "net.offline",
				Evidence: []report.Evidence{{Probe: c.probe, Field: c.field, Value: c.value}}}, lang)
			if !ok || strings.Contains(got.Sentence+got.Action, "outer") != c.router || (got != general) != c.own {
				t.Errorf("%s %s: got %+v, want the router %t, another text than the general one %t", lang, c.value, got, c.router, c.own)
			}
			for _, s := range []string{got.Sentence, got.Action} {
				if strings.Count(s, ".") != 1 || utf8.RuneCountInString(s) > 100 {
					t.Errorf("%s %s: got %q, want one sentence of at most 100 characters", lang, c.value, s)
				}
			}
		}
	}
}

// TestCausesNameWhatTheyFound: a cause that names something does so in both languages,
// and remains short and general if the name is missing or not printable.
func TestCausesNameWhatTheyFound(t *testing.T) {
	found := map[string]string{"audio.wrong_device": "voice_device", "audio.in_use": "held_by"}
	named := func(code, name string) report.Cause {
		return report.Cause{Code: code, Evidence: []report.Evidence{{Probe: "audio.input", Field: found[code], Value: name}}}
	}
	for code, name := range map[string]string{"audio.wrong_device": "Jabra Evolve2 65", "audio.in_use": "Zoom"} {
		for _, lang := range phrase.Langs() {
			general, _ := diagnose.Explain(code, lang)
			if got, ok := diagnose.ExplainCause(report.Cause{Code: code}, lang); !ok || got != general {
				t.Errorf("%s %s without a name: got %+v, want %+v", code, lang, got, general)
			}
			for _, nothing := range []string{"", " \n", "„“"} {
				if got, _ := diagnose.ExplainCause(named(code, nothing), lang); got != general {
					t.Errorf("%s %s with the name %q: got %+v, want %+v", code, lang, nothing, got, general)
				}
			}
			got, _ := diagnose.ExplainCause(named(code, name), lang)
			if !strings.Contains(got.Sentence, name) || !strings.Contains(got.Action, name) || got.Hint != general.Hint || got.Rule != general.Rule {
				t.Errorf("%s %s: got %+v; want Sentence to contain %q, Action to contain %q, Hint %v, Rule %v", code, lang, got, name, name, general.Hint, general.Rule)
			}
			for _, odd := range []string{strings.Repeat("Ä", 300), "{voice_device} {held_by}", "„Mikro“\x1b[31m"} {
				got, _ := diagnose.ExplainCause(named(code, odd), lang)
				for _, s := range []string{got.Sentence, got.Action} {
					if n := utf8.RuneCountInString(s); n > 100 || strings.Contains(s, "\x1b") || strings.Count(s, "„") > 1 {
						t.Errorf("%s %s: %d characters, want at most 100, without escapes and added quotes: %q", code, lang, n, s)
					}
				}
				if !strings.HasSuffix(got.Action, ".") {
					t.Errorf("%s %s: got %q, want a full stop at the end", code, lang, got.Action)
				}
			}
		}
	}
	if _, ok := diagnose.ExplainCause(report.Cause{Code: "net.nonsense"}, phrase.DE); ok {
		t.Error("an unknown code has an explanation")
	}
}

// TestPlainLanguage: words that a councillor does not know must not occur in a sentence
// or an action.
func TestPlainLanguage(t *testing.T) {
	jargon := []string{"UDP", "TCP", "DNS", "Jitter", "NAT", "STUN", "dB", "RTT", "Paket", "packet", "Proxy", "proxy", "TLS", "Latenz", "latency", "Treiber", "driver"}
	for _, d := range diagnose.Catalogue() {
		for _, lang := range phrase.Langs() {
			text, _ := diagnose.Explain(d.Code, lang)
			for _, word := range jargon {
				if d.Code == "net.proxy_failed" && strings.EqualFold(word, "proxy") {
					continue // the word on the settings page that the person must find
				}
				if strings.Contains(text.Sentence+" "+text.Action, word) {
					t.Errorf("%s %s: %q in %q / %q", d.Code, lang, word, text.Sentence, text.Action)
				}
			}
		}
	}
}

func TestRuleShowsTheLimitsOfTheProfile(t *testing.T) {
	for name, want := range map[string]string{"bbb": "ab 400 ms (Warnung) oder 1000 ms", "strict": "ab 100 ms (Warnung) oder 500 ms"} {
		text, _ := diagnose.ExplainBy("net.latency_high", phrase.DE, profile(t, name))
		if !strings.Contains(text.Rule, want) || !strings.Contains(text.Rule, "Profil "+name) {
			t.Errorf("%s: rule = %q, want it to contain %q", name, text.Rule, want)
		}
	}
	text, _ := diagnose.Explain("audio.clipped", phrase.DE)
	if !strings.Contains(text.Rule, "0,1 %") {
		t.Errorf("got %q, want \"0,1 %%\" with a decimal comma", text.Rule)
	}
}

func TestHeadline(t *testing.T) {
	without := func(names ...string) *report.Report {
		r := healthy()
		r.Probes = slices.DeleteFunc(r.Probes, func(p report.Result) bool { return slices.Contains(names, p.Name) })
		diagnose.Finish(r, profile(t, "bbb"))
		return r
	}
	slow := func(r *report.Report) *report.Report {
		r.Verdict = report.Limited
		return r
	}
	computer := func(crash report.HostCrash) *report.Report {
		r := healthy()
		r.Probes = []report.Result{result(report.ProbeHostLoad, &report.HostLoad{CPUPct: new(3.0)}), result(report.ProbeHostCrash, &crash)}
		diagnose.Finish(r, profile(t, "bbb"))
		return r
	}
	failed := func(code string, severity report.Severity) *report.Report {
		r := without()
		r.Verdict = report.NotReady
		r.Causes = []report.Cause{{Code: code, Severity: severity, Primary: true}}
		return r
	}
	tests := []struct {
		name string
		r    *report.Report
		want string
	}{
		{"muted", failed("audio.os_muted", report.SeverityFail), "So wird man Sie nicht hören."},
		{"lossy", failed("net.upload_loss", report.SeverityFail), "So wird man Sie nicht gut hören."},
		{"no ingest", failed("conf.ingest_unreachable", report.SeverityFail), "So gelingt die öffentliche Übertragung nicht."},
		{"slow to the ingest", slow(failed("conf.ingest_uplink_low", report.SeverityWarn)), "Die öffentliche Übertragung kann gestört sein."},
		{"all", without(), "Man wird Sie hören."},
		{"no microphone", without("audio.input"), "Ihre Verbindung ist in Ordnung. Das Mikrofon wurde nicht geprüft."},
		{"no line", without("media.voice", "nat", "network.web"), "Ihr Mikrofon ist in Ordnung. Die Übertragung der Sprache wurde nicht geprüft."},
		{"disturbed, all", slow(without()), "Man wird Sie hören, aber mit Störungen."},
		{"disturbed, no microphone", slow(without("audio.input")), "Ihre Verbindung ist gestört. Das Mikrofon wurde nicht geprüft."},
		{"disturbed, no stream", slow(without("media.voice")), "Ihr Ton ist gestört. Die Übertragung der Sprache wurde nicht geprüft."},
		{"disturbed, neither", slow(without("media.voice", "audio.input")), "Es gibt eine Störung. Mikrofon und Übertragung wurden nicht geprüft."},
		{"nothing but the load", without("media.voice", "nat", "network.web", "audio.input"), "Ihre Leitung ist schnell genug. Mikrofon und Übertragung der Sprache wurden nicht geprüft."},
		{"only the computer", computer(report.HostCrash{}), "An Ihrem Computer ist nichts aufgefallen. Mikrofon und Verbindung wurden nicht geprüft."},
		{"only the computer, unread", computer(report.HostCrash{Sources: []report.HostSource{{Name: "journal", State: "not_permitted"}}}), "An Ihrem Computer ist nichts aufgefallen. Ein Teil war nicht lesbar."},
		{"only the computer, a crash", computer(report.HostCrash{Events: []report.HostEvent{{At: startedAt().Add(-time.Hour), Kind: report.EventClientCrashed, Program: "Zoom"}}}), "An Ihrem Computer ist etwas aufgefallen. Mikrofon und Verbindung wurden nicht geprüft."},
		{"nothing", without("media.voice", "nat", "network.web", "audio.input", "media.load"), "Das ließ sich nicht sicher prüfen."},
	}
	for _, tt := range tests {
		if got := diagnose.Headline(tt.r, phrase.DE); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := diagnose.VerdictText("nonsense", phrase.EN); got != "This could not be checked with certainty." {
		t.Errorf("VerdictText of an unknown verdict = %q", got)
	}
}

func TestEvidenceInWords(t *testing.T) {
	tests := []struct {
		e    report.Evidence
		lang phrase.Lang
		want string
	}{
		{report.Evidence{Probe: "audio.input", Field: "os_volume_db", Value: -60.5, Unit: "dB", Limit: "< -20.5"}, phrase.DE, "Lautstärke im System: -60,5\u00a0dB (Grenze: < -20,5)"},
		{report.Evidence{Probe: "audio.input", Field: "os_muted", Value: true}, phrase.EN, "Muted in the system: yes"},
		{report.Evidence{Probe: "nat", Field: "udp", Value: "blocked"}, phrase.DE, "Schnelle Verbindung (UDP): gesperrt"},
		{report.Evidence{Probe: "new", Field: "field_ms", Value: 3, Unit: "ms"}, phrase.DE, "field_ms: 3\u00a0ms"},
		{report.Evidence{Probe: "new", Field: "x\x1b[2J", Value: "\x1b[31m"}, phrase.EN, "x [2J: [31m"},
		{report.Evidence{Probe: "new", Field: "x", Value: nil}, phrase.EN, "x: not measured"},
		{report.Evidence{Probe: "new", Field: "x", Value: []any{1.0}}, phrase.EN, "x: [1]"},
	}
	for _, tt := range tests {
		if got := (diagnose.Glossary{}).In(tt.lang).Evidence(tt.e); got != tt.want {
			t.Errorf("Evidence = %q, want %q", got, tt.want)
		}
	}
}

// TestValuesHaveNames: the values of the network's fields are English identifiers.
// People read them as evidence, so they need names.
func TestValuesHaveNames(t *testing.T) {
	var schema struct {
		Defs map[string]struct {
			Properties map[string]struct {
				Enum []any
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(report.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	same := []string{"", "udp", "tcp", "icmp", "http", "https", "socks5", "tls", "vpn", "host"}
	for _, def := range []string{"NetworkWeb", "NetworkLink", "NetworkPath", "PathPort", "NATTURN", "TURNRelay"} {
		if len(schema.Defs[def].Properties) == 0 {
			t.Errorf("the schema has no %s", def)
		}
		for field, p := range schema.Defs[def].Properties {
			for _, v := range p.Enum {
				word, ok := v.(string)
				if !ok || slices.Contains(same, word) {
					continue
				}
				for _, lang := range phrase.Langs() {
					if !texts(t, lang).Has("value." + word) {
						t.Errorf("%s.%s: %q has no text in %s", def, field, word, lang)
					}
				}
			}
		}
	}
}
