package report

import (
	"math"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report/origin"
)

// Policy is what the owner of the collector allows to travel.
type Policy struct {
	// KeepPublicAddress leaves public addresses whole.
	KeepPublicAddress bool
}

// Redact returns a copy of r in which only what may travel is left: texts
// without addresses, paths and hidden characters, public addresses cut to their
// network, the target without user, path and query, numbers that a report can
// hold. A number that no instrument can have measured becomes "not measured";
// what is too much or too long is cut off. r itself is not changed.
func Redact(r *Report, p Policy) *Report {
	c := *r
	c.Target = redactTarget(r.Target)
	c.Agent.Version = cleanLabel(r.Agent.Version, maxShortText)
	c.Probes = slices.Clone(r.Probes[:min(len(r.Probes), MaxProbes)])
	for i := range c.Probes {
		c.Probes[i].Error = CleanText(c.Probes[i].Error)
		c.Probes[i].Data = redactData(c.Probes[i].Data, p)
	}
	c.Causes = slices.Clone(r.Causes[:min(len(r.Causes), MaxCauses)])
	for i := range c.Causes {
		c.Causes[i].Evidence = redactEvidence(c.Causes[i].Evidence)
	}
	return &c
}

// redactTarget keeps scheme, host and port: the path of a meeting room and the
// user before an @ are nobody's business.
func redactTarget(target string) string {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" {
		return ""
	}
	kept := origin.Of(u)
	if web, err := origin.Parse(target); err == nil && u.Scheme == web.Scheme {
		kept = origin.Of(web)
	}
	if !patternTarget.MatchString(kept) {
		return ""
	}
	return kept
}

func redactEvidence(evidence []Evidence) []Evidence {
	kept := make([]Evidence, 0, len(evidence))
	for _, e := range evidence {
		if v := reflect.ValueOf(e.Value); v.Kind() == reflect.String {
			e.Value = cleanLabel(v.String(), maxLongText)
		}
		e.Unit = cleanLabel(e.Unit, maxShortText)
		e.Limit = cleanLabel(e.Limit, maxLongText)
		if evidenceProblem(e.Value) == "" && len(kept) < MaxEvidencePerCause {
			kept = append(kept, e)
		}
	}
	return kept
}

// redactData is a copy of d in which every field keeps to its rule.
func redactData(d Data, p Policy) Data {
	if isNil(d) {
		return nil
	}
	from := reflect.ValueOf(d).Elem()
	to := reflect.New(from.Type())
	redactFields(to.Elem(), from)
	c := to.Interface().(Data)
	if a := publicAddress(c); a != nil && !p.KeepPublicAddress {
		*a = truncateText(*a)
	}
	switch c := c.(type) {
	case *AudioInput:
		c.Device, c.EndDevice = DeviceName(c.Device), DeviceName(c.EndDevice)
		c.DefaultDevice, c.VoiceDevice = DeviceName(c.DefaultDevice), DeviceName(c.VoiceDevice)
	case *AudioOutput:
		c.Device = DeviceName(c.Device)
	}
	return c
}

func redactFields(to, from reflect.Value) {
	for i := range from.NumField() {
		f := from.Type().Field(i)
		to.Field(i).Set(redactValue(ruleFor(from.Type(), f), from.Field(i)))
	}
}

func redactValue(r rule, v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return c
		}
		inner := reflect.New(v.Type().Elem())
		inner.Elem().Set(v.Elem())
		if !redactNumber(r, inner.Elem()) {
			return c
		}
		return inner
	case reflect.Slice:
		for i := range min(v.Len(), r.maxItems) {
			item := reflect.New(v.Type().Elem()).Elem()
			redactFields(item, v.Index(i))
			c = reflect.Append(c, item)
		}
		return c
	case reflect.String:
		if r.enum == nil {
			c.SetString(cleanLabel(v.String(), r.maxBytes))
			return c
		}
	}
	c.Set(v)
	return c
}

// redactNumber brings v into its range where that is honest, and says whether
// it can stay at all.
func redactNumber(r rule, v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		return r.numberProblem(float64(v.Int())) == ""
	case reflect.Float64:
		if r.bounded && (r.clamp || nearRange(r, v.Float())) && !math.IsNaN(v.Float()) {
			v.SetFloat(max(r.low, min(r.high, v.Float())))
		}
		return r.numberProblem(v.Float()) == ""
	case reflect.Array:
		for i := range v.Len() {
			if !redactNumber(r, v.Index(i)) {
				return false
			}
		}
	}
	return true
}

// nearRange says whether x is outside its range by a rounding error at most,
// as a correlation of 1.0000000002 is.
func nearRange(r rule, x float64) bool {
	const rounding = 1e-6
	return x >= r.low-rounding && x <= r.high+rounding
}

// Names people give to their own devices, in the patterns of the systems that
// make them up: "Anna's AirPods", "AirPods von Anna", "AirPods de Anna".
var (
	reOwnerBefore = regexp.MustCompile(`^.*[\p{L}\p{N}.]['’´` + "`" + `]s? +(.+)$`)
	reOwnerAfter  = regexp.MustCompile(`(?i)^(.+?) +(?:von|of|de|di|van|от) +[^()]+(.*)$`)
)

// DeviceName is a device's name without its owner's name in it, without hidden
// characters and addresses, and of bounded length.
func DeviceName(s string) string {
	s = cleanLabel(s, maxLongText)
	if m := reOwnerBefore.FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	// "Monitor of Speakers" names no owner: it is how PulseAudio calls a loopback.
	if m := reOwnerAfter.FindStringSubmatch(s); m != nil && !strings.EqualFold(m[1], "monitor") {
		s = m[1] + m[2]
	}
	return cleanLabel(reMAC.ReplaceAllString(s, ""), maxLongText)
}

// cleanLabel is s on one line without hidden characters, at most limit bytes.
func cleanLabel(s string, limit int) string {
	return strings.TrimSpace(cutText(oneLine(cutText(s, limit)), limit))
}
