package netbench

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
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
	// Also are the others of several faults that the line has at once.
	Also []string
	// Remark says that the voice is not disturbed: the cause must be named as a
	// remark (severity info), and a warning would be wrong.
	Remark bool
	Needs  string // what the product lacks to find it; "" when nothing
	Subset bool

	Home       HomeSpec
	NAT        NATSpec
	CGNAT      *NATSpec
	IPv6       bool
	DNS        DNSSpec
	Portal     *PortalSpec
	Proxy      *ProxySpec
	Inspection *InspectionSpec
	STUN       STUNSpec
	Collector  CollectorSpec

	Lan, Access, Server Segment
}

// HomeSpec is what is particular about the participant's computer.
type HomeSpec struct {
	// Load asks for media.load too.
	Load bool `toml:"load"`
	// LifetimeS asks how long the NAT keeps an idle binding, up to so many seconds.
	LifetimeS float64 `toml:"lifetime_s"`
	// VPN makes the way out a tunnel of the computer's own.
	VPN bool `toml:"vpn"`
	// NoPings keeps programs from sending pings, as Linux without systemd does and
	// containers do.
	NoPings bool `toml:"no_pings"`
	// DownAtS takes the computer's interface away at this second, UpAtS brings it
	// back; 0: not.
	DownAtS float64 `toml:"down_at_s"`
	UpAtS   float64 `toml:"up_at_s"`
	// Network is what the computer lacks from the beginning: link (its interface is
	// down), address, lease (it has given itself an address of 169.254.0.0/16, RFC
	// 3927), or route; ipv4_route and ipv6_route are those of one family alone.
	Network string `toml:"lacks"`
}

func (s HomeSpec) validate() error {
	if !slices.Contains([]string{"", "link", "address", "lease", "route", "ipv4_route", "ipv6_route"}, s.Network) {
		return fmt.Errorf("lacks = %q: want link, address, lease, route, ipv4_route or ipv6_route", s.Network)
	}
	if s.LifetimeS != 0 && !(s.LifetimeS >= 30 && s.LifetimeS <= 60) {
		return fmt.Errorf("lifetime_s = %v: want 0, or 30 to 60", s.LifetimeS)
	}
	if !(s.DownAtS >= 0 && s.UpAtS >= 0 && s.DownAtS <= 60 && s.UpAtS <= 60) || s.UpAtS > 0 && (s.UpAtS <= s.DownAtS || s.DownAtS == 0) {
		return fmt.Errorf("down_at_s = %v, up_at_s = %v: want seconds, one after the other", s.DownAtS, s.UpAtS)
	}
	return nil
}

// DNSSpec is how the home's name server answers.
type DNSSpec struct {
	DelayMS float64 `toml:"delay_ms"`
	// Fails is "", silent, servfail, nxdomain, refused, silent_aaaa (it never
	// says anything when asked for IPv6), truncated (and TCP is shut), hidden (the
	// name has no address any more, as with protection against DNS rebinding) or
	// hidden_nxdomain (the same, told as a name that does not exist).
	Fails string `toml:"fails"`
	// DeadFirst puts a name server before it that is no more.
	DeadFirst bool `toml:"dead_first"`
	// Search gives the home a search list, and every name below it an address.
	Search bool `toml:"search"`
	// Hijacks gives every name that does not exist an address.
	Hijacks bool `toml:"hijacks"`
	// Says is the IPv4 address it gives in the place of the right one.
	Says string `toml:"says"`

	ipv6   bool // the name has an IPv6 address as well
	offers bool // it knows who hands out the proxy's script
}

func (s DNSSpec) validate() error {
	if !slices.Contains([]string{"", "silent", "servfail", "nxdomain", "refused", "silent_aaaa", "truncated", "hidden", "hidden_nxdomain"}, s.Fails) || !(s.DelayMS >= 0) {
		return fmt.Errorf("fails = %q, delay_ms = %v", s.Fails, s.DelayMS)
	}
	if a, err := netip.ParseAddr(s.Says); s.Says != "" && (err != nil || !a.Is4()) {
		return fmt.Errorf("says = %q is no IPv4 address", s.Says)
	}
	return nil
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
	Title      string          `toml:"title"`
	About      string          `toml:"about"`
	Expect     string          `toml:"expect"`
	Also       []string        `toml:"also"`
	Remark     bool            `toml:"remark"`
	Needs      string          `toml:"needs"`
	Subset     bool            `toml:"subset"`
	Home       HomeSpec        `toml:"home"`
	NAT        *NATSpec        `toml:"nat"`
	CGNAT      *NATSpec        `toml:"cgnat"`
	IPv6       ipv6Document    `toml:"ipv6"`
	DNS        DNSSpec         `toml:"dns"`
	Portal     *PortalSpec     `toml:"portal"`
	Proxy      *ProxySpec      `toml:"proxy"`
	Inspection *InspectionSpec `toml:"inspection"`
	STUN       STUNSpec        `toml:"stun"`
	Collector  CollectorSpec   `toml:"collector"`
	Lan        segmentDocument `toml:"lan"`
	Access     segmentDocument `toml:"access"`
	Server     segmentDocument `toml:"server"`
}

// ipv6Document: on gives home and server an address and the name both kinds;
// name_only leaves the home without one.
type ipv6Document struct {
	On       bool `toml:"on"`
	NameOnly bool `toml:"name_only"`
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
		Title: d.Title, About: strings.TrimSpace(d.About), Expect: d.Expect, Also: d.Also, Remark: d.Remark, Needs: d.Needs, Subset: d.Subset,
		Home: d.Home, NAT: homeRouter(), CGNAT: d.CGNAT, IPv6: d.IPv6.On, DNS: d.DNS,
		Portal: d.Portal, Proxy: d.Proxy, Inspection: d.Inspection, STUN: d.STUN, Collector: d.Collector,
	}
	if s.Title == "" || s.About == "" || s.Expect == "" {
		return s, fmt.Errorf("title, about and expect must be there")
	}
	if d.NAT != nil {
		s.NAT = *d.NAT
	}
	s.DNS.ipv6 = d.IPv6.On || d.IPv6.NameOnly
	s.DNS.offers = d.Proxy != nil && d.Proxy.Known == "network"
	if err := s.validateBoxes(); err != nil {
		return s, err
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

// validateBoxes says what is wrong outside of the segments.
func (s Scenario) validateBoxes() error {
	boxes := []struct {
		name string
		err  error
	}{
		{"home", s.Home.validate()}, {"nat", s.NAT.validate()}, {"dns", s.DNS.validate()},
		{"stun", s.STUN.validate()}, {"collector", s.Collector.validate()},
	}
	add := func(name string, err error) {
		boxes = append(boxes, struct {
			name string
			err  error
		}{name, err})
	}
	if s.CGNAT != nil {
		add("cgnat", s.CGNAT.validate())
	}
	if s.Portal != nil {
		add("portal", s.Portal.validate())
	}
	if s.Proxy != nil {
		add("proxy", s.Proxy.validate())
	}
	if s.Portal != nil && s.Inspection != nil {
		add("inspection", errors.New("a guest network before its login lets nothing through to be inspected"))
	}
	for _, b := range boxes {
		if b.err != nil {
			return fmt.Errorf("%s: %w", b.name, b.err)
		}
	}
	return nil
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
