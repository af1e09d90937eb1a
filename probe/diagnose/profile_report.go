package diagnose

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
)

// maxSourceBytes limits the source of a limit in a report.
const maxSourceBytes = 200

// Changed returns the limits of a town's own profile that a report contains; nil for a
// shipped profile, or if none differs from the shipped one.
func (p Profile) Changed() *report.ProfileLimits {
	if p.BasedOn == "" {
		return nil
	}
	base, err := LoadProfile(p.BasedOn)
	if err != nil {
		return nil // ParseProfile has checked it
	}
	out := &report.ProfileLimits{Base: p.BasedOn, ServerArea: p.ServerArea, Changed: []report.ChangedLimit{}}
	shipped := base.Limits()
	for i, l := range p.Limits() {
		if !reflect.DeepEqual(l, shipped[i]) {
			l.Source = shortSource(l.Source)
			out.Changed = append(out.Changed, l)
		}
	}
	return out
}

// Limits returns all limits, sorted by name.
func (p Profile) Limits() (all []report.ChangedLimit) {
	limits := limitsOf(p)
	for _, key := range slices.Sorted(maps.Keys(limits)) {
		l := report.ChangedLimit{Name: key}
		switch v := limits[key].(type) {
		case Limit:
			l.Warn, l.Fail, l.Source = v.Warn, v.Fail, v.Source
		case Bound:
			l.Value, l.Source = new(v.Value), v.Source
		}
		all = append(all, l)
	}
	return all
}

func shortSource(s string) string {
	if s = report.CleanText(s); len(s) > maxSourceBytes {
		s = strings.ToValidUTF8(s[:maxSourceBytes], "")
	}
	return s
}

// ProfileOf returns the limits with which a report was made, for its texts: those of the
// shipped profile that it names, and the changed ones that it contains. If this version
// does not contain that profile, they are those of DefaultProfile.
func ProfileOf(r *report.Report) Profile {
	name := r.Profile
	if r.Limits != nil {
		name = r.Limits.Base
	}
	p, err := LoadProfile(name)
	if err != nil {
		if p, err = LoadProfile(DefaultProfile); err != nil {
			panic(err) // it is embedded
		}
	}
	if r.Limits == nil {
		return p
	}
	p.Name, p.BasedOn = r.Profile, name
	if r.Limits.ServerArea != "" {
		p.ServerArea = r.Limits.ServerArea
	}
	for _, c := range r.Limits.Changed {
		switch at := p.limitAt(c.Name).(type) {
		case *Limit:
			*at = Limit{Warn: c.Warn, Fail: c.Fail, Source: c.Source}
		case *Bound:
			if c.Value != nil {
				*at = Bound{Value: *c.Value, Source: c.Source}
			}
		}
	}
	return p
}
