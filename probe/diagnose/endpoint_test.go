package diagnose_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// ours and theirs are faults of the collector's own servers and of the conference
// server, each with its cause if a conference server was checked ("" for none) and if
// none was.
func ours() map[string]endpointCase {
	stream := func(s report.MediaState, path string) func(*report.Report) {
		return func(r *report.Report) { media(r, s); voice(r).Path = path }
	}
	return map[string]endpointCase{
		"the reflector is silent":          {noReflector, "net.test_server_down", "conf.server_down"},
		"the echo reports an error":        {func(r *report.Report) { media(r, report.MediaServerError) }, "net.test_server_down", "conf.server_error"},
		"the media port is closed":         {func(r *report.Report) { voice(r).Path = "relay udp" }, "net.media_detour", "conf.media_ports_blocked"},
		"only TCP reaches the reflector":   {func(r *report.Report) { voice(r).Path = "host tcp" }, "net.media_detour", "conf.tcp_only"},
		"no path to the reflector":         {stream(report.MediaICEFailed, ""), "net.media_blocked", "conf.ice_failed"},
		"nothing comes from the reflector": {stream(report.MediaNotFlowing, "srflx udp"), "net.media_blocked", "conf.media_not_flowing"},
		"no keys with the reflector":       {stream(report.MediaDTLSFailed, "srflx udp"), "net.media_blocked", "conf.media_not_flowing"},
		"the relay refuses":                {func(r *report.Report) { noRelay(r, "auth_failed"); media(r, report.MediaICEFailed) }, "net.turn_auth_failed", "net.turn_auth_failed"},
	}
}

func theirs() map[string]endpointCase {
	step := func(name, code string) func(*report.Report) {
		return func(r *report.Report) {
			visited(r, report.ProbeJanus, &report.Conference{URLHost: "bbb.example.org", FailedStep: name, FailedCode: code})
		}
	}
	return map[string]endpointCase{
		"the web server reports an error": {func(r *report.Report) { web(r).ServerHealthy, web(r).HTTPStatus = new(false), new(503) }, "conf.server_error", ""},
		"the web server is silent":        {func(r *report.Report) { *web(r) = report.NetworkWeb{Stage: "dns", Online: new(true)} }, "conf.server_down", ""},
		"the certificate has another name": {func(r *report.Report) {
			*web(r) = report.NetworkWeb{Stage: "tcp", Online: new(true), TCPMS: new(20.0), TLSError: "wrong_name"}
		}, "conf.cert_invalid", ""},
		"the interface reports an error":   {step("api", "502"), "conf.server_error", ""},
		"no path to the conference server": {step("path", "no_path"), "conf.ice_failed", ""},
		"it ends the call":                 {step("sound_up", "cut_off"), "conf.server_error", ""},
		"it passes no sound on":            {step("sound_down", "no_track"), "conf.server_error", ""},
		"it takes no call":                 {step("call", "490"), "conf.server_error", ""},
		"it mutes the participant":         {step("sound_up", "muted_by_server"), "conf.muted_by_server", ""},
		"its relay refuses":                {step("relay", "denied"), "conf.turn_denied", ""},
		"its relay passes nothing on": {func(r *report.Report) {
			visited(r, report.ProbeLiveKit, &report.Conference{URLHost: "bbb.example.org", PathRelay: new(false), Media: &report.MediaVoice{State: report.MediaComplete, Path: "host udp"},
				Checks: []report.ConferenceCheck{{Name: report.StepPathRelay, Status: report.StatusWarn, Code: "no_path"}}})
		}, "conf.turn_denied", ""},
		"no keys with it":     {step("keys", "no_keys"), "conf.media_not_flowing", ""},
		"no sound comes back": {step("sound_down", "nothing_came_back"), "conf.media_not_flowing", ""},
		"only TCP reaches it": {func(r *report.Report) {
			visited(r, report.ProbeJanus, &report.Conference{URLHost: "bbb.example.org", Media: &report.MediaVoice{State: report.MediaComplete, Path: "prflx tcp"}})
		}, "conf.tcp_only", ""},
		"it does not know the test meeting": {step("sign_in", "meeting_not_found"), "conf.meeting_not_found", ""},
		"it has ended the test meeting":     {step("state", "meeting_ended"), "conf.meeting_not_found", ""},
		"the meeting ends during the call":  {step("sound_up", "meeting_ended"), "conf.meeting_not_found", ""},
		"it locks the microphones":          {step("call", "microphone_locked"), "conf.muted_by_server", ""},
		"it mutes everybody who joins":      {step("sound_up", "mute_on_start"), "conf.muted_by_server", ""},
		"it removes the participant":        {step("sound_up", "ejected"), "conf.server_error", ""},
		"its address for LiveKit is wrong":  {step("signalling", "bad_livekit_address"), "conf.server_error", ""},
		"it names a private address":        {step("path", "private_address"), "conf.server_error", ""},
		"it makes no token for LiveKit":     {step("signalling", "no_livekit_token"), "conf.server_error", ""},
		"it refuses the join link":          {step("sign_in", "bad_signature"), "conf.server_error", ""},
		"it has too many connections":       {step("state", "too_many_connections"), "conf.server_error", ""},
		"it ends the call by a number":      {step("keys", "2000"), "conf.server_error", ""},
		"it does not permit the microphone": {func(r *report.Report) {
			visited(r, report.ProbeBBB, &report.Conference{URLHost: "bbb.example.org", FailedStep: "call", FailedCode: "2301"})
		}, "conf.muted_by_server", ""},
		"only its relay reaches it": {func(r *report.Report) {
			visited(r, report.ProbeBBB, &report.Conference{URLHost: "bbb.example.org", Media: &report.MediaVoice{State: report.MediaComplete, Path: "relay tls"}})
		}, "conf.media_ports_blocked", ""},
		"its relay refuses its own credentials": {func(r *report.Report) {
			visited(r, report.ProbeBBB, &report.Conference{URLHost: "bbb.example.org", Media: &report.MediaVoice{State: report.MediaComplete, Path: "host udp"},
				Checks: []report.ConferenceCheck{{Name: report.StepRelay, Status: report.StatusFail, Code: "auth_failed"}}})
		}, "conf.turn_denied", ""},
		"its version is old": {func(r *report.Report) {
			visited(r, report.ProbeBBB, &report.Conference{URLHost: "bbb.example.org", Version: "2.4.9",
				Checks: []report.ConferenceCheck{{Name: report.StepState, Status: report.StatusUnknown, Code: "old_version"}}})
		}, "conf.version_old", ""},
		"the ingest does not answer": {func(r *report.Report) {
			visited(r, report.ProbeYouTube, &report.Conference{URLHost: "a.rtmps.example", FailedStep: "reach", FailedCode: "refused"})
			load(r).UpKbps = new(20000.0)
		}, "conf.ingest_unreachable", ""},
		"the line is too slow for the ingest": {func(r *report.Report) {
			visited(r, report.ProbeYouTube, &report.Conference{URLHost: "a.rtmps.example", Reachable: new(true)})
			load(r).UpKbps = new(5000.0)
		}, "conf.ingest_uplink_low", ""},
	}
}

type endpointCase struct {
	change        func(*report.Report)
	with, without string // the cause with and without a conference server
}

// TestOwnServerFaultIsNotAConferenceFault: while a conference server is checked, a fault of the collector's
// servers is never a cause conf.*. In either case the cause refers to the collector or
// its reflector.
func TestOwnServerFaultIsNotAConferenceFault(t *testing.T) {
	for name, c := range ours() {
		for target, want := range map[string]string{"https://bbb.example.org": c.with, "": c.without} {
			r := healthy()
			c.change(r)
			r.Target = target
			causes := causesOf(t, r)
			if len(causes) == 0 || causes[0].Code != want {
				t.Errorf("%s, target %q: got %q, want %s", name, target, codes(causes), want)
			}
			for _, cause := range causes {
				if target != "" && strings.HasPrefix(cause.Code, "conf.") || cause.Endpoint == report.EndpointConference {
					t.Errorf("%s, target %q: %s refers to the conference server", name, target, cause.Code)
				}
				if cause.Endpoint == report.EndpointNone {
					t.Errorf("%s, target %q: %s refers to no server", name, target, cause.Code)
				}
			}
		}
	}
}

// TestConferenceFaultIsNotAnOwnServerFault: a fault of the conference server refers to that server only.
func TestConferenceFaultIsNotAnOwnServerFault(t *testing.T) {
	for name, c := range theirs() {
		r := healthy()
		c.change(r)
		causes := causesOf(t, r)
		if len(causes) != 1 || causes[0].Code != c.with || causes[0].Endpoint != report.EndpointConference {
			t.Errorf("%s: got %+v, want only %s of the conference server", name, causes, c.with)
		}
	}
}

// TestIndependentFaultsAreBothReported: neither of the two faults explains the other, so
// both are reported.
func TestIndependentFaultsAreBothReported(t *testing.T) {
	for name, their := range theirs() {
		for other, our := range ours() {
			r := healthy()
			our.change(r)
			their.change(r)
			found := map[report.Endpoint][]string{}
			for _, cause := range causesOf(t, r) {
				found[cause.Endpoint] = append(found[cause.Endpoint], cause.Code)
			}
			own := append(found[report.EndpointReflector], found[report.EndpointCollector]...)
			// If neither server responded, the line may be at fault, and nothing is
			// reported.
			if silent := voice(r).State == report.MediaNoSignalling; silent {
				continue
			}
			if !slices.Contains(found[report.EndpointConference], their.with) || !slices.Contains(own, our.with) {
				t.Errorf("%s and %s: got %v, want both causes", name, other, found)
			}
		}
	}
}

// TestEveryConferenceCauseIsInTheTable: the table must be complete.
func TestEveryConferenceCauseIsInTheTable(t *testing.T) {
	inTable := map[string]bool{}
	for _, table := range []map[string]endpointCase{ours(), theirs()} {
		for _, c := range table {
			inTable[c.with], inTable[c.without] = true, true
		}
	}
	for _, d := range diagnose.Catalogue() {
		if strings.HasPrefix(d.Code, "conf.") && !inTable[d.Code] {
			t.Errorf("%s is not in the table", d.Code)
		}
	}
}

func causesOf(t *testing.T, r *report.Report) []report.Cause {
	t.Helper()
	causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
	return causes
}

func TestEndpointsHaveNames(t *testing.T) {
	for _, lang := range phrase.Langs() {
		terms := diagnose.Glossary{}.In(lang)
		for _, e := range []report.Endpoint{report.EndpointConference, report.EndpointReflector, report.EndpointCollector} {
			if terms.Endpoint(e) == "" {
				t.Errorf("%s: %s has no name", lang, e)
			}
		}
		for _, e := range []report.Endpoint{report.EndpointNone, "router"} {
			if name := terms.Endpoint(e); name != "" {
				t.Errorf("%s: %q has the name %s", lang, e, name)
			}
		}
	}
}

func TestServerSilenceBlamesNobody(t *testing.T) {
	tests := []struct {
		name    string
		change  func(*report.Report)
		want    []string
		verdict report.Verdict
		area    report.Area
	}{
		{"reflector silent, web works", noReflector, []string{"net.test_server_down"}, report.Unknown, report.AreaMunicipality},
		{"reflector's own error", func(r *report.Report) { media(r, report.MediaServerError) }, []string{"net.test_server_down"}, report.Unknown, report.AreaMunicipality},
		{"blocked by the office", func(r *report.Report) { media(r, report.MediaBlocked) }, nil, report.Unknown, ""},
		{"no longer known to the office", func(r *report.Report) { media(r, report.MediaUnknownAgent) }, nil, report.Unknown, ""},
		{"conference server faulty", func(r *report.Report) { web(r).ServerHealthy = new(false) }, []string{"conf.server_error"}, report.NotReady, report.AreaMunicipality},
		{"conference server takes no connection", func(r *report.Report) { *web(r) = report.NetworkWeb{Stage: "dns", Online: new(true)} }, []string{"conf.server_down"}, report.NotReady, report.AreaMunicipality},
		{"conference server connects and says nothing", func(r *report.Report) {
			web(r).Stage, web(r).HTTPMS, web(r).HTTPStatus, web(r).ServerHealthy = "tls", nil, nil, nil
		}, []string{"conf.server_down"}, report.Limited, report.AreaMunicipality},
		{"nothing answers", func(r *report.Report) { *web(r) = report.NetworkWeb{Stage: "dns"}; noReflector(r) }, nil, report.Unknown, ""},
		{"collector's web faulty, echo works", func(r *report.Report) { r.Target, web(r).ServerHealthy = "", new(false) }, nil, report.Ready, ""},
		{"collector faulty", func(r *report.Report) { r.Target, web(r).ServerHealthy = "", new(false); noReflector(r) }, []string{"conf.server_error"}, report.Unknown, report.AreaMunicipality},
		{"collector refuses", func(r *report.Report) {
			r.Target, *web(r) = "", report.NetworkWeb{Stage: "dns", Online: new(true)}
			noReflector(r)
			nat(r).UDP, nat(r).TCP = report.ReachNotTested, report.ReachNotTested
		}, []string{"conf.server_down"}, report.Unknown, report.AreaMunicipality},
		{"collector's name gone", func(r *report.Report) {
			r.Target = ""
			*web(r) = report.NetworkWeb{Online: new(true), DNSError: "not_found"}
			noReflector(r)
		}, []string{"net.dns_failure"}, report.Unknown, report.AreaMunicipality},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := healthy()
			tt.change(r)
			causes, verdict := diagnose.Diagnose(r, profile(t, "bbb"))
			if !slices.Equal(codes(causes), tt.want) || verdict != tt.verdict {
				t.Fatalf("causes = %q, verdict = %s; want %q, %s", codes(causes), verdict, tt.want, tt.verdict)
			}
			if len(causes) > 0 && causes[0].Area != tt.area {
				t.Errorf("area = %s, want %s", causes[0].Area, tt.area)
			}
		})
	}
}

func TestProviderRunsTheServerOfZoom(t *testing.T) {
	r := healthy()
	web(r).ServerHealthy = new(false)
	causes, _ := diagnose.Diagnose(r, profile(t, "zoom"))
	if len(causes) != 1 || causes[0].Area != report.AreaProvider {
		t.Errorf("causes = %+v, want one in the provider's area", causes)
	}
}
