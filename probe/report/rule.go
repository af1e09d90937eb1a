package report

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Caps of a report. An honest report has a tenth of each.
const (
	MaxProbes           = 32
	MaxCauses           = 64
	MaxEvidencePerCause = 16

	maxShortText = 64  // names, versions, units
	maxLongText  = 200 // device names, limits in words
	maxTarget    = 512
	maxSegments  = 8
	maxRelays    = 8
	maxPorts     = 8
)

// rule is what one field may hold. Validation, redaction and the published
// schema all read it, so they cannot come apart.
type rule struct {
	// Strings.
	maxBytes int
	enum     []string
	pattern  *regexp.Regexp
	optional bool // may be empty
	// Numbers.
	low, high float64
	bounded   bool
	// clamp is set where a value out of range still says something: a muted
	// device has -Inf dB.
	clamp bool
	// Lists.
	maxItems int
}

// Patterns of the strings that programs act on. All are anchored, and all mean
// the same in RE2 and in ECMA 262, which the schema needs.
var (
	patternUUID   = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	patternUUIDv7 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	patternCase   = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{3}-[0-9A-HJKMNP-TV-Z]{3}$`)
	patternName   = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$`)
	patternCode   = regexp.MustCompile(`^(audio|net|conf|host|fleet)\.[a-z0-9_]+$`)
	patternField  = regexp.MustCompile(`^[A-Za-z0-9_.]+$`)
	patternWord   = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]*$`)
	patternTarget = regexp.MustCompile(`^(https?|wss?|rtmps?)://[A-Za-z0-9.:_\[\]-]+/?$`)
	patternNet    = regexp.MustCompile(`^[0-9a-f.:]+(/[0-9]{1,3})?$`)
)

// ruleFor is the rule of field f of the struct type owner.
func ruleFor(owner reflect.Type, f reflect.StructField) rule {
	name := jsonName(f)
	if r, ok := namedRule(owner.Name() + "." + name); ok {
		return r
	}
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if e, ok := reflect.Zero(t).Interface().(enum); ok {
		return rule{enum: e.values()}
	}
	switch t.Kind() {
	case reflect.String:
		return rule{maxBytes: maxLongText, optional: true}
	case reflect.Int, reflect.Int64:
		if strings.HasSuffix(name, "_ms") || strings.HasSuffix(name, "_hz") {
			return unitRule(name)
		}
		return rule{low: 0, high: 1e9, bounded: true}
	case reflect.Float64, reflect.Array:
		return unitRule(name)
	}
	return rule{}
}

// namedRule holds what neither the type nor the unit of a field tells.
func namedRule(field string) (rule, bool) {
	text := func(pattern *regexp.Regexp, maxBytes int) (rule, bool) {
		return rule{pattern: pattern, maxBytes: maxBytes}, true
	}
	optionalText := func(pattern *regexp.Regexp, maxBytes int) (rule, bool) {
		return rule{pattern: pattern, maxBytes: maxBytes, optional: true}, true
	}
	oneOf := func(values ...string) (rule, bool) { return rule{enum: values, optional: true}, true }
	between := func(low, high float64) (rule, bool) {
		return rule{low: low, high: high, bounded: true}, true
	}
	items := func(n int) (rule, bool) { return rule{maxItems: n}, true }

	switch field {
	case "Report.schema":
		return rule{enum: []string{SchemaV1}}, true
	case "Report.id":
		return text(patternUUIDv7, 36)
	case "Report.case":
		return text(patternCase, 7)
	case "Report.profile":
		return text(patternWord, maxShortText)
	case "Report.target":
		return optionalText(patternTarget, maxTarget)
	case "Report.probes":
		return items(MaxProbes)
	case "Report.causes":
		return items(MaxCauses)
	case "Agent.id":
		return optionalText(patternUUID, 36)
	case "Agent.version":
		return rule{maxBytes: maxShortText, optional: true}, true
	case "Agent.os", "Agent.arch":
		return text(patternWord, 32)
	case "Result.name":
		return text(patternName, maxShortText)
	case "Result.version":
		return between(0, 1e6)
	case "Result.error":
		return rule{maxBytes: maxErrorText, optional: true}, true
	case "Cause.code":
		return text(patternCode, maxShortText)
	case "Cause.confidence":
		return between(0, 1)
	case "Cause.evidence":
		return items(MaxEvidencePerCause)
	case "Evidence.probe":
		return text(patternName, maxShortText)
	case "Evidence.field":
		return text(patternField, maxShortText)
	case "Evidence.value":
		return rule{maxBytes: maxLongText, optional: true}, true
	case "Evidence.unit":
		return rule{maxBytes: maxShortText, optional: true}, true
	case "AudioInput.rate_error_pct":
		return between(-1e6, 1e6)
	case "AudioInput.flat_factor", "MediaVoice.burst_ratio", "MediaVoice.up_loss_run_packets", "MediaVoice.down_loss_run_packets",
		"NetworkLink.gateway_loss_run_packets", "NetworkPath.loss_run_packets":
		return between(0, 1e6)
	case "AudioInput.dc_offset", "AudioInput.channel_correlation":
		return between(-1, 1)
	case "AudioInput.voice_channel":
		return between(1, 64)
	case "AudioInput.bluetooth_codec":
		return oneOf(BluetoothCodecs()...)
	case "AudioInput.held_by":
		return oneOf(Programs()...)
	case "NAT.public_address", "NATBehavior.public_address":
		return optionalText(patternNet, maxShortText)
	case "NATBehavior.mapping":
		return oneOf("EIM", "ADM", "APDM", "none")
	case "NATBehavior.filtering":
		return oneOf("EIF", "ADF", "APDF")
	case "NATTURN.relays":
		return items(maxRelays)
	case "TURNRelay.transport":
		return rule{enum: []string{"udp", "tcp", "tls"}}, true
	case "TURNRelay.port":
		return between(1, 65535)
	case "NATTURN.udp_error", "NATTURN.tcp_error", "NATTURN.tls_error", "TURNRelay.error":
		return oneOf("unreachable", "auth_failed", "quota", "tls", "other")
	case "MediaVoice.up_ipdv_p5_ms", "MediaVoice.up_ipdv_p50_ms", "MediaVoice.up_ipdv_p95_ms",
		"MediaVoice.down_ipdv_p5_ms", "MediaVoice.down_ipdv_p50_ms", "MediaVoice.down_ipdv_p95_ms":
		return between(-1e9, 1e9) // the one delay less the other
	case "MediaVoice.r_factor":
		return between(-1000, 1000)
	case "MediaVoice.mos":
		return between(1, 5)
	case "MediaVoice.self_check":
		return oneOf("ok", "degraded", "void")
	case "NetworkWeb.websocket_by":
		return oneOf("between", "server", "unknown")
	case "NetworkWeb.stage":
		return oneOf("dns", "tcp", "tls", "http")
	case "NetworkWeb.dns_error":
		return oneOf("not_found", "hidden", "timeout", "refused", "servfail", "truncated", "false", "search_domain", "hijacked", "other")
	case "NetworkWeb.proxy":
		return oneOf("none", "http", "https", "socks5")
	case "NetworkWeb.proxy_fault":
		return oneOf("unresolved", "refused", "silent", "certificate", "login", "forbidden", "redirect", "failing",
			"not_a_proxy", "unknown_kind", "script", "script_gone")
	case "NetworkWeb.tls_key":
		return oneOf("own", "foreign")
	case "NetworkWeb.tls_inspector":
		return oneOf("network", "scanner")
	case "NetworkWeb.tls_error":
		return oneOf("untrusted", "expired", "wrong_name", "protocol", "other")
	case "NetworkWeb.http_status":
		return between(100, 999)
	case "NetworkLink.kind":
		return oneOf("wifi", "ethernet", "cellular", "vpn")
	case "NetworkLink.gateway_state":
		return oneOf("answered", "silent", "unreachable", "none", "not_permitted", "failed")
	case "NetworkLink.uplink":
		return oneOf("no_link", "no_address", "self_assigned", "no_route")
	case "NetworkPath.segments":
		return items(maxSegments)
	case "NetworkPath.ports":
		return items(maxPorts)
	case "PathPort.name":
		return rule{enum: []string{"transit", "server"}}, true
	case "PathPort.protocol":
		return rule{enum: []string{"tcp", "udp"}}, true
	case "PathPort.port":
		return between(1, 65535)
	case "PathPort.answer":
		return rule{enum: []string{"open", "refused", "rejected", "silent"}}, true
	case "PathPort.rejected_by":
		return oneOf("house", "provider", "beyond")
	case "NetworkPath.rejected_by":
		return oneOf("house", "provider")
	case "NetworkPath.fault_segment":
		return oneOf("lan", "access", "transit", "server", "none")
	case "NetworkPath.line":
		return oneOf("reached", "silent", "router_silent", "cut")
	case "NetworkPath.mtu_by":
		return oneOf("udp", "icmp")
	case "PathSegment.name":
		return rule{enum: []string{"host", "lan", "access", "transit", "server"}}, true
	case "NetworkWeb.clock_offset_ms", "NetworkWeb.clock_uncertainty_ms":
		return between(-1e13, 1e13) // 300 years: a clock may be that wrong
	}
	return rule{}, false
}

// unitRule bounds a number by the unit its name ends in. The bounds only keep
// out what no instrument can have measured.
func unitRule(name string) rule {
	week := 7 * 24 * time.Hour
	name = strings.TrimSuffix(name, "_ci95")
	if i := strings.Index(name, "_pct_"); i >= 0 { // late_pct_60ms: the share for a buffer
		name = name[:i+len("_pct")]
	}
	switch name[strings.LastIndexByte(name, '_')+1:] {
	case "ms":
		return rule{low: 0, high: float64(week.Milliseconds()), bounded: true}
	case "s":
		return rule{low: 0, high: week.Seconds(), bounded: true}
	case "pct":
		return rule{low: 0, high: 100, bounded: true}
	case "hz":
		return rule{low: 0, high: 1e7, bounded: true}
	case "kbps":
		return rule{low: 0, high: 1e9, bounded: true}
	case "mbps":
		return rule{low: 0, high: 1e6, bounded: true}
	case "dbm":
		return rule{low: -200, high: 100, bounded: true}
	case "dbfs", "dbtp", "lufs", "db":
		return rule{low: -300, high: 300, bounded: true, clamp: true}
	}
	return rule{}
}

// jsonName is the name of f in the document.
func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// textProblem says what is wrong with s, or "". It never repeats s: what a
// stranger sent does not belong into our logs.
func (r rule) textProblem(s string) string {
	switch {
	case s == "" && r.optional:
		return ""
	case r.enum != nil && !slices.Contains(r.enum, s):
		return "is none of " + strings.Join(r.enum, ", ")
	case r.enum != nil:
		return ""
	case len(s) > r.maxBytes:
		return "is too long"
	case s == "":
		return "is missing"
	case oneLine(s) != s:
		return "holds control or invisible characters"
	case r.pattern != nil && !r.pattern.MatchString(s):
		return "does not have the form " + r.pattern.String()
	}
	return ""
}

// numberProblem says what is wrong with v, or "".
func (r rule) numberProblem(v float64) string {
	if r.bounded && !(v >= r.low && v <= r.high) { // NaN is in no range
		return "is out of range"
	}
	return ""
}
