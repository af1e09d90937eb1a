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

// Healthy is the expected result of a scenario without a fault.
const Healthy = "healthy"

// Scenario is one line with its faults.
type Scenario struct {
	Name   string // of the file, without its extension
	Title  string
	About  string
	Expect string // primary cause, or Healthy
	// Also contains the other causes if the line has several faults.
	Also []string
	// Remark means that the voice is not disturbed: the cause must have the
	// severity info.
	Remark bool
	Needs  string // what the product lacks to find the cause; "" if nothing
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

// HomeSpec describes the participant's computer.
type HomeSpec struct {
	// Load also runs media.load.
	Load bool `toml:"load"`
	// LifetimeS also determines the lifetime of a NAT binding, up to this limit.
	LifetimeS float64 `toml:"lifetime_s"`
	// VPN makes the computer's default route a tunnel.
	VPN bool `toml:"vpn"`
	// NoPings does not permit programs to send echo requests, as on Linux without
	// systemd and in containers.
	NoPings bool `toml:"no_pings"`
	// DownAtS disables the computer's interface at this second, UpAtS enables it
	// again; 0 means never.
	DownAtS float64 `toml:"down_at_s"`
	UpAtS   float64 `toml:"up_at_s"`
	// Network is what the computer lacks from the start: link (the interface is
	// down), address, lease (it has only an address of 169.254.0.0/16, RFC 3927),
	// or route; ipv4_route and ipv6_route concern one family only.
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

// DNSSpec describes the home's name server.
type DNSSpec struct {
	DelayMS float64 `toml:"delay_ms"`
	// Fails is "", silent, servfail, nxdomain, refused, silent_aaaa (no response to
	// IPv6 queries), truncated (with TCP closed), hidden (an answer without an
	// address, as with DNS rebinding protection), hidden_nxdomain (the same,
	// reported as a nonexistent name) or uncached (servfail except for the names of
	// the servers, which it has in its cache).
	Fails string `toml:"fails"`
	// DeadFirst adds a name server before it that does not exist.
	DeadFirst bool `toml:"dead_first"`
	// Search configures a search domain in which every name has an address.
	Search bool `toml:"search"`
	// Hijacks returns an address for every nonexistent name.
	Hijacks bool `toml:"hijacks"`
	// Says is the IPv4 address that is returned instead of the right one.
	Says string `toml:"says"`

	ipv6   bool // the name also has an IPv6 address
	offers bool // the name server resolves the host of the proxy script
}

func (s DNSSpec) validate() error {
	if !slices.Contains([]string{"", "silent", "servfail", "nxdomain", "refused", "silent_aaaa", "truncated", "hidden", "hidden_nxdomain", "uncached"}, s.Fails) || !(s.DelayMS >= 0) {
		return fmt.Errorf("fails = %q, delay_ms = %v", s.Fails, s.DelayMS)
	}
	if a, err := netip.ParseAddr(s.Says); s.Says != "" && (err != nil || !a.Is4()) {
		return fmt.Errorf("says = %q is not an IPv4 address", s.Says)
	}
	return nil
}

// Segment contains the phases of both directions, the first one starting at 0.
type Segment struct{ Up, Down []Phase }

// Phase is a Line that applies from a given time of the check.
type Phase struct {
	From time.Duration
	Line Line
}

// document is the structure of a scenario file. Directions are decoded in a second
// step, because later extends up, and up extends both.
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

// ipv6Document is the table [ipv6]. On assigns addresses to home and server, and both families
// to the name; NameOnly leaves the home without an IPv6 address.
type ipv6Document struct {
	On       bool `toml:"on"`
	NameOnly bool `toml:"name_only"`
}

type segmentDocument struct {
	Both, Up, Down map[string]any
}

// Scenarios reads all scenarios, sorted by name.
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

// ParseScenario parses one scenario; an unknown key is an error.
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
		return s, fmt.Errorf("title, about and expect must be set")
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

// validateBoxes validates everything except the segments.
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
		add("inspection", errors.New("a guest network before its login has nothing to inspect"))
	}
	for _, b := range boxes {
		if b.err != nil {
			return fmt.Errorf("%s: %w", b.name, b.err)
		}
	}
	return nil
}

// phases merges own into both, and each later phase into the previous one.
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
		return Phase{}, fmt.Errorf("from_s = %v is not a number", v)
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
