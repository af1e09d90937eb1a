package bench

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

//go:embed scenarios/*.toml
var files embed.FS

// Healthy is what a scenario expects where nothing must be found.
const Healthy = "healthy"

// Scenario is one line with its faults.
type Scenario struct {
	Name   string // of the file
	Title  string
	About  string
	Expect string // the primary cause, or Healthy
	Needs  string // what the product lacks to find it; "" when nothing
	Subset bool

	NAT    NATSpec
	CGNAT  *NATSpec
	DNS    DNSSpec
	Portal bool

	Lan, Access, Server Segment
}

// DNSSpec is how the home's name server answers.
type DNSSpec struct {
	DelayMS float64 `toml:"delay_ms"`
	// Fails is "", silent, servfail, nxdomain or refused.
	Fails string `toml:"fails"`
}

// Segment has the phases of both directions, the first from 0 on.
type Segment struct{ Up, Down []Phase }

// Phase is a Line from a time of the check on.
type Phase struct {
	From time.Duration
	Line Line
}

// document is a scenario as it stands in its file. What stands in a direction
// is read in a second step, because later builds on up, and up on both.
type document struct {
	Title  string            `toml:"title"`
	About  string            `toml:"about"`
	Expect string            `toml:"expect"`
	Needs  string            `toml:"needs"`
	Subset bool              `toml:"subset"`
	NAT    *NATSpec          `toml:"nat"`
	CGNAT  *NATSpec          `toml:"cgnat"`
	DNS    DNSSpec           `toml:"dns"`
	Portal struct{ On bool } `toml:"portal"`
	Lan    segmentDocument   `toml:"lan"`
	Access segmentDocument   `toml:"access"`
	Server segmentDocument   `toml:"server"`
}

type segmentDocument struct {
	Both, Up, Down map[string]any
}

// Scenarios reads all scenarios, in the order of their names.
func Scenarios() ([]Scenario, error) {
	names, err := fs.Glob(files, "scenarios/*.toml")
	if err != nil {
		return nil, err
	}
	var all []Scenario
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		s, err := ParseScenario(strings.TrimSuffix(path.Base(name), ".toml"), b)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// ParseScenario reads one scenario strictly: a word it does not know is an error.
func ParseScenario(name string, b []byte) (Scenario, error) {
	var d document
	if err := strict(b, &d); err != nil {
		return Scenario{}, fmt.Errorf("scenario %s: %w", name, err)
	}
	s, err := d.scenario()
	if err != nil {
		return Scenario{}, fmt.Errorf("scenario %s: %w", name, err)
	}
	s.Name = name
	return s, nil
}

func strict(b []byte, into any) error {
	return toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields().Decode(into)
}

func (d document) scenario() (Scenario, error) {
	s := Scenario{
		Title: d.Title, About: strings.TrimSpace(d.About), Expect: d.Expect, Needs: d.Needs, Subset: d.Subset,
		NAT: homeRouter(), CGNAT: d.CGNAT, DNS: d.DNS, Portal: d.Portal.On,
	}
	if s.Title == "" || s.About == "" || s.Expect == "" {
		return s, fmt.Errorf("title, about and expect must be there")
	}
	if d.NAT != nil {
		s.NAT = *d.NAT
	}
	if err := s.NAT.validate(); err != nil {
		return s, fmt.Errorf("nat: %w", err)
	}
	if s.CGNAT != nil {
		if err := s.CGNAT.validate(); err != nil {
			return s, fmt.Errorf("cgnat: %w", err)
		}
	}
	if !slices.Contains([]string{"", "silent", "servfail", "nxdomain", "refused"}, s.DNS.Fails) || !(s.DNS.DelayMS >= 0) {
		return s, fmt.Errorf("dns: fails = %q, delay_ms = %v", s.DNS.Fails, s.DNS.DelayMS)
	}
	for _, part := range []struct {
		name string
		from segmentDocument
		to   *Segment
	}{{"lan", d.Lan, &s.Lan}, {"access", d.Access, &s.Access}, {"server", d.Server, &s.Server}} {
		var err error
		if part.to.Up, err = phases(part.from.Both, part.from.Up); err != nil {
			return s, fmt.Errorf("%s.up: %w", part.name, err)
		}
		if part.to.Down, err = phases(part.from.Both, part.from.Down); err != nil {
			return s, fmt.Errorf("%s.down: %w", part.name, err)
		}
	}
	return s, nil
}

// phases lays own over both, and each later phase over the one before.
func phases(both, own map[string]any) ([]Phase, error) {
	merged := map[string]any{}
	maps.Copy(merged, both)
	maps.Copy(merged, own)
	later, ok := merged["later"].([]any)
	if _, named := merged["later"]; named && !ok {
		return nil, fmt.Errorf("later: want [[…later]]")
	}
	var out []Phase
	for i := range len(later) + 1 {
		if i > 0 {
			more, ok := later[i-1].(map[string]any)
			if !ok {
				return nil, fmt.Errorf("later: want [[…later]]")
			}
			maps.Copy(merged, more)
		}
		p, err := phase(merged)
		if err != nil {
			return nil, err
		}
		if i > 0 && p.From <= out[i-1].From {
			return nil, fmt.Errorf("from_s = %v: phases must follow each other", p.From.Seconds())
		}
		out = append(out, p)
	}
	return out, nil
}

func phase(fields map[string]any) (Phase, error) {
	rest := maps.Clone(fields)
	delete(rest, "later")
	var from float64
	switch v := rest["from_s"].(type) {
	case nil:
	case float64:
		from = v
	case int64:
		from = float64(v)
	default:
		return Phase{}, fmt.Errorf("from_s = %v is no number", v)
	}
	delete(rest, "from_s")
	b, err := toml.Marshal(rest)
	if err != nil {
		return Phase{}, err
	}
	var l Line
	if err := strict(b, &l); err != nil {
		return Phase{}, err
	}
	return Phase{From: time.Duration(from * float64(time.Second)), Line: l}, l.validate()
}
