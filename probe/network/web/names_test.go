package web

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/internal/testnet"
	"github.com/tonprobe/tonprobe/probe/network/lookup"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// scriptedServers contains the responses of name servers to each type of query; a server
// without a response is silent.
type scriptedServers []map[dnsmessage.Type]lookup.Answer

func (s scriptedServers) Servers() (all []netip.AddrPort) {
	for i := range s {
		all = append(all, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 53))
	}
	return all
}

func (scriptedServers) Search() []string { return []string{"elsewhere.example", "town.example"} }

func (s scriptedServers) Ask(_ context.Context, at netip.AddrPort, name string, kind dnsmessage.Type) (lookup.Answer, error) {
	if name != host {
		return lookup.Answer{}, errors.New("unexpected name")
	}
	a, ok := s[at.Addr().As4()[3]][kind]
	if !ok {
		return a, errors.New("silent")
	}
	return a, nil
}

func TestWhyANameIsNotFound(t *testing.T) {
	const a, aaaa, soa = dnsmessage.TypeA, dnsmessage.TypeAAAA, dnsmessage.TypeSOA
	all := func(code dnsmessage.RCode) map[dnsmessage.Type]lookup.Answer {
		return map[dnsmessage.Type]lookup.Answer{a: {Code: code}, aaaa: {Code: code}, soa: {Code: code}}
	}
	const noError, noName, failure, refusal = dnsmessage.RCodeSuccess, dnsmessage.RCodeNameError, dnsmessage.RCodeServerFailure, dnsmessage.RCodeRefused
	six := []netip.Addr{netip.MustParseAddr("2001:db8::7")}
	for name, c := range map[string]struct {
		servers scriptedServers
		err     net.DNSError
		want    string
	}{
		"no such name":                   {scriptedServers{all(noName)}, net.DNSError{IsNotFound: true}, "not_found"},
		"a name without an address":      {scriptedServers{all(noError)}, net.DNSError{IsNotFound: true}, "hidden"},
		"hidden as no such name":         {scriptedServers{{a: {Code: noName}, aaaa: {Code: noName}, soa: {Code: noError}}}, net.DNSError{IsNotFound: true}, "hidden"},
		"hidden for IPv4 only":           {scriptedServers{{a: {Code: noName}, aaaa: {Code: noError, Addrs: six}, soa: {Code: noError}}}, net.DNSError{IsNotFound: true}, "hidden"},
		"IPv6 only, none for the system": {scriptedServers{{a: {Code: noError}, aaaa: {Code: noError, Addrs: six}, soa: {Code: noError}}}, net.DNSError{IsNotFound: true}, "not_found"},
		"no IPv4, IPv6 unanswered":       {scriptedServers{{a: {Code: noError}, soa: {Code: noError}}}, net.DNSError{IsNotFound: true}, "not_found"},
		"no IPv4, IPv6 fails":            {scriptedServers{{a: {Code: noError}, aaaa: {Code: failure}, soa: {Code: noError}}}, net.DNSError{IsNotFound: true}, "not_found"},
		"server failure":                 {scriptedServers{all(failure)}, net.DNSError{Err: "server misbehaving"}, "servfail"},
		"refused":                        {scriptedServers{all(refusal)}, net.DNSError{Err: "server misbehaving"}, "refused"},
		"truncated":                      {scriptedServers{{a: {Truncated: true}}}, net.DNSError{Err: "connection refused"}, "truncated"},
		"the first is silent":            {scriptedServers{{}, all(failure)}, net.DNSError{Err: "server misbehaving"}, "servfail"},
		"all silent now":                 {scriptedServers{{}, {}}, net.DNSError{Err: "server misbehaving"}, "refused"},
		"timeout of the system":          {scriptedServers{all(noName)}, net.DNSError{IsTimeout: true}, "timeout"},
		"no server known":                {scriptedServers{}, net.DNSError{IsNotFound: true}, "not_found"},
	} {
		config := direct("https", closed(t), nil)
		config.Resolver = testnet.Lookup(func(context.Context) error { return &c.err })
		config.NameServers = c.servers
		d, r := run(t, config, probetest.Env(t))
		if d.DNSError != c.want || d.Stage != "" || (r.Status == report.StatusFail) != (c.want != "timeout") {
			t.Errorf("%s: got %q, want %q; %+v", name, d.DNSError, c.want, r)
		}
	}
}

// TestNamesThatAreNotTheServers: the name has an address that belongs to another
// machine.
func TestNamesThatAreNotTheServers(t *testing.T) {
	ca := newAuthority(t, "town")
	now := time.Now()
	wildcard := secure(t, ca.sign(t, "www.town.example", now.AddDate(0, -1, 0), now.AddDate(0, 1, 0)), ok)
	for name, c := range map[string]struct {
		absolute bool // whether the name itself exists
		any      bool // whether every name exists
		file     bool // whether it is only in the hosts file
		reached  bool
		system   bool // the system's own lookup, with a search list
		want     string
	}{
		"search domain":              {false, false, false, true, true, "search_domain"},
		"search domain, port closed": {false, false, false, false, true, "search_domain"},
		"it exists":                  {true, false, false, true, true, ""},
		"it exists, port closed":     {true, false, false, false, true, ""},
		"in a file of host names":    {false, false, true, false, true, ""},
		"every name exists":          {true, true, false, true, true, "hijacked"},
		"every name, port closed":    {true, true, false, false, false, "hijacked"},
		"not the system's look-up":   {false, false, false, true, false, ""},
	} {
		config := direct("https", wildcard, ca)
		config.URL, config.plainPort = "https://"+host+"/", "80"
		config.Resolver = wild{c.absolute, c.any, c.file}
		if c.system {
			config.NameServers = scriptedServers{}
		}
		env := probetest.Env(t)
		ports := map[string]string{}
		if c.reached {
			ports[farAway+":443"] = wildcard.Listener.Addr().String()
		}
		env.Net = mapped{env.Net, ports}
		d, r := run(t, config, env)
		if d.DNSError != c.want || (c.want != "") != (d.Stage == "") || c.want != "" && (d.TLSError != "" || r.Status != report.StatusFail) {
			t.Errorf("%s: got %+v, %+v; want DNS error %q", name, d, r, c.want)
		}
	}
}

// wild is a resolver that has an address for the name, as given or with the search
// list only, or for all names.
type wild struct{ absolute, all, file bool }

func (w wild) LookupNetIP(_ context.Context, _, name string) ([]netip.Addr, error) {
	searched := !w.file && strings.HasSuffix(name, ".town.example.")
	if name == host || w.all || searched || w.absolute && strings.TrimSuffix(name, ".") == host {
		return []netip.Addr{netip.MustParseAddr(farAway)}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, Server: "192.0.2.53:53", IsNotFound: true}
}

// TestFirstNameServerDead: the name is resolved, but takes longer than one query.
func TestFirstNameServerDead(t *testing.T) {
	ca := newAuthority(t, "town")
	s := secure(t, ca.good(t), ok)
	alive := map[dnsmessage.Type]lookup.Answer{dnsmessage.TypeA: {}}
	for name, c := range map[string]struct {
		servers scriptedServers
		after   time.Duration
		want    *bool
	}{
		"dead":             {scriptedServers{{}, alive}, slowNameMS * time.Millisecond, new(true)},
		"both alive":       {scriptedServers{alive, alive}, slowNameMS * time.Millisecond, new(false)},
		"second dead":      {scriptedServers{alive, {}}, slowNameMS * time.Millisecond, new(false)},
		"both silent now":  {scriptedServers{{}, {}}, slowNameMS * time.Millisecond, new(false)},
		"only one":         {scriptedServers{{}}, slowNameMS * time.Millisecond, nil},
		"answered at once": {scriptedServers{{}, alive}, 0, nil},
	} {
		config := direct("https", s, ca)
		config.Resolver, config.NameServers = slow{config.Resolver, c.after}, c.servers
		d, r := run(t, config, probetest.Env(t))
		if r.Status != report.StatusOK || (d.DNSServerSilent == nil) != (c.want == nil) || c.want != nil && *d.DNSServerSilent != *c.want {
			t.Errorf("%s: got %v, want %v; %+v, %+v", name, probetest.Value(d.DNSServerSilent), probetest.Value(c.want), d, r)
		}
	}
}

type slow struct {
	lookup.Resolver
	after time.Duration
}

func (s slow) LookupNetIP(ctx context.Context, network, name string) ([]netip.Addr, error) {
	if err := (probe.SystemClock{}).Sleep(ctx, s.after); err != nil {
		return nil, err
	}
	return s.Resolver.LookupNetIP(ctx, network, name)
}
