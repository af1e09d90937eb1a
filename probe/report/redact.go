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

// Policy is what the owner of the collector permits.
type Policy struct {
	// KeepPublicAddress disables the truncation of public addresses.
	KeepPublicAddress bool
}

// Redact returns a copy of r without personal data: without addresses, paths and hidden
// characters in texts, with public addresses truncated to their network, and with a
// target without user, path and query. A number that no instrument can have measured
// becomes "not measured"; too many entries and too long texts are truncated; the data
// of probes without a description is dropped.
func Redact(r *Report, p Policy) *Report { return KnownProbes().Redact(r, p) }

// Redact is the function Redact for the probes of this set.
func (p Probes) Redact(r *Report, policy Policy) *Report {
	c := *r
	c.Target = redactTarget(r.Target)
	c.Agent.Version = cleanLabel(r.Agent.Version, maxShortText)
	c.Probes = slices.Clone(r.Probes[:min(len(r.Probes), maxItemsOf("probes"))])
	for i := range c.Probes {
		c.Probes[i].Error = CleanText(c.Probes[i].Error)
		c.Probes[i].Data = p.redactData(c.Probes[i], policy)
	}
	c.Causes = slices.Clone(r.Causes[:min(len(r.Causes), maxItemsOf("causes"))])
	for i := range c.Causes {
		c.Causes[i].Evidence = redactEvidence(c.Causes[i].Evidence)
	}
	return &c
}

// maxItemsOf returns the maximum number of entries of a list outside of the data of the
// probes.
func maxItemsOf(path ...string) int {
	fields, most := documentFields(), 0
	for _, name := range path {
		f := fields[slices.IndexFunc(fields, func(f Field) bool { return f.Name == name })]
		fields, most = f.Fields, f.MaxItems
	}
	return most
}

// redactTarget keeps scheme, host and port: the path may name a meeting room, and the
// user a person.
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
		if evidenceProblem(e.Value) == "" && len(kept) < maxItemsOf("causes", "evidence") {
			kept = append(kept, e)
		}
	}
	return kept
}

// redactData returns a copy of the data of r in which every field matches its
// description; nil for a probe without a description.
func (p Probes) redactData(r Result, policy Policy) Data {
	d, ok := p.Find(r.Name)
	if !ok || isNil(r.Data) || reflect.TypeOf(r.Data) != reflect.TypeOf(d.Data) {
		return nil
	}
	to := d.newData()
	redactFields(d.fields, policy, to.Elem(), reflect.ValueOf(r.Data).Elem())
	return to.Interface()
}

func redactFields(fields []Field, policy Policy, to, from reflect.Value) {
	for i := range fields {
		f := &fields[i]
		f.redact(policy, to.Field(f.index), from.Field(f.index))
	}
}

// redact copies from to to, which is zero, as far as the description permits.
func (f *Field) redact(policy Policy, to, from reflect.Value) {
	switch {
	case from.Kind() == reflect.Pointer && from.IsNil():
	case from.Kind() == reflect.Pointer:
		inner := reflect.New(from.Type().Elem())
		if f.Kind == KindGroup {
			redactFields(f.Fields, policy, inner.Elem(), from.Elem())
		} else if inner.Elem().Set(from.Elem()); !f.redactNumber(inner.Elem()) {
			return
		}
		to.Set(inner)
	case f.Kind == KindGroup:
		redactFields(f.Fields, policy, to, from)
	case f.Kind == KindList && !from.IsNil():
		n := min(from.Len(), f.MaxItems)
		to.Set(reflect.MakeSlice(from.Type(), n, n))
		for i := range n {
			redactFields(f.Fields, policy, to.Index(i), from.Index(i))
		}
	case f.Kind == KindText:
		to.SetString(f.redactText(policy, from.String()))
	default:
		to.Set(from)
	}
}

func (f *Field) redactText(policy Policy, s string) string {
	s = cleanLabel(s, f.MaxBytes)
	switch {
	case f.private == privateDevice:
		s = DeviceName(s)
	case f.private == privateAddress && !policy.KeepPublicAddress:
		s = truncateText(s)
	}
	return s
}

// redactNumber moves v into its range if that does not change its meaning, and reports
// whether it may be kept.
func (f *Field) redactNumber(v reflect.Value) bool {
	switch f.Kind {
	case KindCount:
		return f.numberProblem(float64(v.Int())) == ""
	case KindNumber:
		if (f.clamped || f.nearRange(v.Float())) && !math.IsNaN(v.Float()) {
			v.SetFloat(max(f.Range.Low, min(f.Range.High, v.Float())))
		}
		return f.numberProblem(v.Float()) == ""
	case KindInterval:
		for i := range v.Len() {
			end := *f
			end.Kind = KindNumber
			if !end.redactNumber(v.Index(i)) {
				return false
			}
		}
	}
	return true
}

// nearRange reports whether x is outside of its range by a rounding error at most, such
// as a correlation of 1.0000000002.
func (f *Field) nearRange(x float64) bool {
	const rounding = 1e-6
	return x >= f.Range.Low-rounding && x <= f.Range.High+rounding
}

// Patterns in which systems put an owner's name into the name of a device: "Anna's
// AirPods", "AirPods von Anna", "AirPods de Anna".
var (
	reOwnerBefore = regexp.MustCompile(`^.*[\p{L}\p{N}.]['’´` + "`" + `]s? +(.+)$`)
	reOwnerAfter  = regexp.MustCompile(`(?i)^(.+?) +(?:von|of|de|di|van|от) +[^()]+(.*)$`)
)

// DeviceName returns a device's name without its owner's name, hidden characters and
// addresses, and of limited length.
func DeviceName(s string) string {
	s = cleanLabel(s, maxLongText)
	if m := reOwnerBefore.FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	// "Monitor of Speakers" contains no owner: it is PulseAudio's name of a loopback.
	if m := reOwnerAfter.FindStringSubmatch(s); m != nil && !strings.EqualFold(m[1], "monitor") {
		s = m[1] + m[2]
	}
	return cleanLabel(reMAC.ReplaceAllString(s, ""), maxLongText)
}

// cleanLabel returns s on one line, without hidden characters and at most limit bytes
// long.
func cleanLabel(s string, limit int) string {
	return strings.TrimSpace(cutText(oneLine(cutText(s, limit)), limit))
}
