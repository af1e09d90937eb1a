package web

import (
	"math"
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// cause is one cause in words, with its proof.
type cause struct {
	Code       string
	Severity   state
	Sentence   string
	Action     string // "" for a cause that this version does not know
	Hint       string
	Rule       string
	Area       string
	Confidence int // percent
	Evidence   []evidence
}

// evidence is one measured value behind a cause.
type evidence struct {
	Name, Value, Limit string
	Unknown            bool
}

func (v view) cause(c report.Cause, limits diagnose.Profile) cause {
	told := cause{Code: clean(c.Code, maxNameRunes), Severity: v.severity(c.Severity), Area: v.area(c.Area),
		Confidence: percent(c.Confidence), Sentence: v.T("cause.foreign")}
	if text, ok := diagnose.ExplainCauseBy(c, v.lang, limits); ok {
		told.Sentence, told.Action, told.Hint, told.Rule = text.Sentence, text.Action, text.Hint, text.Rule
	}
	for _, e := range c.Evidence {
		told.Evidence = append(told.Evidence, evidence{
			Name:    clean(diagnose.FieldText(e.Probe, e.Field, v.lang), maxValueRunes),
			Value:   clean(diagnose.ValueText(e.Value, e.Unit, v.lang), maxValueRunes),
			Limit:   v.limit(e.Limit),
			Unknown: e.Value == nil,
		})
	}
	return told
}

func percent(share float64) int {
	if math.IsNaN(share) {
		return 0
	}
	return int(math.Round(min(max(share, 0), 1) * 100))
}

func (v view) limit(s string) string {
	s = clean(s, maxValueRunes)
	if v.lang == phrase.DE {
		s = strings.ReplaceAll(s, ".", ",")
	}
	return s
}

func (v view) severity(s report.Severity) state {
	kind := map[report.Severity]string{report.SeverityFail: "fail", report.SeverityWarn: "warn", report.SeverityInfo: "info"}[s]
	if kind == "" {
		kind = "unknown"
	}
	return state{Kind: kind, Word: v.T("severity." + kind)}
}

func (v view) area(a report.Area) string {
	switch a {
	case report.AreaParticipant, report.AreaMunicipality, report.AreaProvider:
		return v.T("area." + string(a))
	}
	return v.T("area.unknown")
}

// probed is one probe with what it found.
type probed struct {
	Name  string
	State state
	Note  string // why it could not tell; "" when it could
	Lines []figure
}

// figure is one measured value.
type figure struct {
	Name, Value string
	Unknown     bool // not measured: shown as that, never as good
}

// figures are the values that support asks for, by probe and in order. All the
// others stand in the document.
var figures = map[string][]string{
	report.ProbeAudioInput: {
		"device", "os_muted", "os_volume_db", "active_level_dbfs", "noise_floor_dbfs", "snr_db", "clipped_pct", "bandwidth_hz", "speech_ms",
	},
	report.ProbeAudioOutput: {"device", "os_muted", "tone_heard", "loop_heard", "loop_delay_ms", "echo_return_db"},
	report.ProbeNAT:         {"udp", "tcp", "udp_rtt_ms", "tcp_rtt_ms", "public_address"},
	report.ProbeNATBehavior: {"mapping", "filtering", "legacy_name", "hairpin", "port_preserved", "cgnat", "alg", "binding_lifetime_s"},
	report.ProbeNATTURN:     {"udp_rtt_ms", "tcp_rtt_ms", "tls_rtt_ms"},
	report.ProbeMediaVoice: {
		"path", "up_loss_pct", "down_loss_pct", "up_jitter_ms", "down_jitter_ms", "rtt_p50_ms", "late_pct_60ms", "mos",
	},
	report.ProbeNetworkLink: {"kind", "signal_dbm", "rate_mbps", "gateway_rtt_ms", "gateway_loss_pct", "vpn"},
	report.ProbeNetworkPath: {"fault_segment", "line", "mtu_blackhole"},
	report.ProbeMediaLoad:   {"up_kbps", "down_kbps", "idle_rtt_ms", "loaded_rtt_up_ms", "loaded_rtt_down_ms"},
	report.ProbeNetworkWeb:  {"dns_ms", "tcp_ms", "tls_ms", "http_ms", "proxy", "websocket", "captive_portal", "clock_offset_ms"},
}

func (v view) probed(r *report.Report) []probed {
	var list []probed
	for _, p := range r.Probes {
		list = append(list, probed{Name: v.probe(p.Name), State: v.status(diagnose.Standing(p)),
			Note: v.note(p.Error), Lines: append(v.ways(r, p.Name), v.figures(p)...)})
	}
	return list
}

// ways are the four ways for sound and pictures, each a row of its own, where
// the probe that tells the most of them stands.
func (v view) ways(r *report.Report, probe string) (list []figure) {
	if probe != report.ProbeNATTURN {
		return nil
	}
	for _, w := range diagnose.WaysOf(r) {
		list = append(list, figure{Name: w.Name(v.lang), Value: w.StateText(v.lang), Unknown: !w.Tested()})
	}
	return list
}

func (v view) probe(name string) string {
	if key := "probe." + strings.ReplaceAll(name, ".", "_"); v.Has(key) {
		return v.T(key)
	}
	return clean(name, maxNameRunes)
}

// note says why a probe could not tell, as its own screen says it.
func (v view) note(note string) string {
	if note == "" {
		return ""
	}
	if text, known := diagnose.NoteText(note, v.lang); known {
		return v.T("check.note", "text", text)
	}
	return v.T("check.note_technical", "text", clean(report.CleanText(note), maxValueRunes))
}

func (v view) status(s report.Status) state {
	kind := string(report.StatusUnknown)
	switch s {
	case report.StatusOK, report.StatusWarn, report.StatusFail, report.StatusSkipped, diagnose.StandingPartial:
		kind = string(s)
	}
	return state{Kind: kind, Word: v.T("status." + kind)}
}

func (v view) figures(p report.Result) []figure {
	values := diagnose.FieldValues(p.Data)
	if values == nil {
		return nil
	}
	var list []figure
	for _, field := range figures[p.Name] {
		value := values[field]
		if value == "" {
			value = nil
		}
		text := diagnose.ValueText(value, diagnose.FieldUnit(field), v.lang)
		if network, ok := value.(string); ok && field == "public_address" {
			text = network // ValueText takes every address out
		}
		list = append(list, figure{Name: diagnose.FieldText(p.Name, field, v.lang), Value: clean(text, maxValueRunes), Unknown: value == nil || value == string(report.ReachNotTested)})
	}
	return list
}
