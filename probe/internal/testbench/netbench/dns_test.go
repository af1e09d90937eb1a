package netbench

import (
	"net/netip"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func question(t testing.TB, name string, kind dnsmessage.Type) []byte {
	t.Helper()
	q := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 77, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}},
	}
	b, err := q.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNameServer(t *testing.T) {
	for _, c := range []struct {
		name, fails string
		kind        dnsmessage.Type
		code        dnsmessage.RCode
		answers     int
	}{
		{ServerName + ".", "", dnsmessage.TypeA, dnsmessage.RCodeSuccess, 1},
		{"TON.example.ORG.", "", dnsmessage.TypeA, dnsmessage.RCodeSuccess, 1},
		{ServerName + ".", "", dnsmessage.TypeAAAA, dnsmessage.RCodeSuccess, 0},
		{"other.example.org.", "", dnsmessage.TypeA, dnsmessage.RCodeNameError, 0},
		{ServerName + ".", "servfail", dnsmessage.TypeA, dnsmessage.RCodeServerFailure, 0},
		{ServerName + ".", "refused", dnsmessage.TypeA, dnsmessage.RCodeRefused, 0},
		{ServerName + ".", "nxdomain", dnsmessage.TypeA, dnsmessage.RCodeNameError, 0},
		{ServerName + ".", "truncated", dnsmessage.TypeA, dnsmessage.RCodeSuccess, 0},
		{ServerName + ".", "hidden", dnsmessage.TypeA, dnsmessage.RCodeSuccess, 0},
		{"other.example.org.", "hidden", dnsmessage.TypeA, dnsmessage.RCodeNameError, 0},
		{ServerName + ".", "hidden_nxdomain", dnsmessage.TypeA, dnsmessage.RCodeNameError, 0},
		{ServerName + ".", "uncached", dnsmessage.TypeA, dnsmessage.RCodeSuccess, 1},
		{"other.example.org.", "uncached", dnsmessage.TypeA, dnsmessage.RCodeServerFailure, 0},
		{ServerName + ".", "hidden_nxdomain", dnsmessage.TypeSOA, dnsmessage.RCodeSuccess, 0},
	} {
		reply, ok := answerDNS(question(t, c.name, c.kind), DNSSpec{Fails: c.fails})
		var m dnsmessage.Message
		if err := m.Unpack(reply); !ok || err != nil {
			t.Fatalf("%+v: got response %t, error %v; want true", c, ok, err)
		}
		if m.Truncated != (c.fails == "truncated") || m.ID != 77 || !m.Response || m.RCode != c.code || len(m.Answers) != c.answers {
			t.Errorf("%+v: got %+v", c, m)
		}
	}
	if _, ok := answerDNS(question(t, ServerName+".", dnsmessage.TypeA), DNSSpec{Fails: "silent"}); ok {
		t.Error("got a response of a silent server")
	}
}

func TestBadNameServers(t *testing.T) {
	for what, c := range map[string]struct {
		spec DNSSpec
		name string
		kind dnsmessage.Type
		want string // the address; "" for an answer without one, "silence" for no response
	}{
		"both kinds":                            {DNSSpec{ipv6: true}, ServerName + ".", dnsmessage.TypeAAAA, server6Addr.String()},
		"a false address":                       {DNSSpec{Says: "0.0.0.0"}, ServerName + ".", dnsmessage.TypeA, "0.0.0.0"},
		"silent for IPv6":                       {DNSSpec{Fails: "silent_aaaa"}, ServerName + ".", dnsmessage.TypeAAAA, "silence"},
		"silent for IPv6 only":                  {DNSSpec{Fails: "silent_aaaa"}, ServerName + ".", dnsmessage.TypeA, serverAddr.String()},
		"an offered script":                     {DNSSpec{offers: true}, "wpad.", dnsmessage.TypeA, privateGateway.String()},
		"below the search domain":               {DNSSpec{Search: true}, "ton.example.org." + searchDomain + ".", dnsmessage.TypeA, ispAddr.String()},
		"the name itself":                       {DNSSpec{Search: true}, ServerName + ".", dnsmessage.TypeA, serverAddr.String()},
		"redirected":                            {DNSSpec{Hijacks: true}, "nobody.invalid.", dnsmessage.TypeA, ispAddr.String()},
		"not redirected":                        {DNSSpec{Hijacks: true}, ServerName + ".", dnsmessage.TypeA, serverAddr.String()},
		"redirected, because it does not exist": {DNSSpec{Hijacks: true, Fails: "nxdomain"}, ServerName + ".", dnsmessage.TypeA, ispAddr.String()},
		"none offered":                          {DNSSpec{}, "wpad.", dnsmessage.TypeA, ""},
	} {
		reply, ok := answerDNS(question(t, c.name, c.kind), c.spec)
		if !ok {
			if c.want != "silence" {
				t.Errorf("%s: got no response", what)
			}
			continue
		}
		var m dnsmessage.Message
		if err := m.Unpack(reply); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		got := ""
		for _, a := range m.Answers {
			switch b := a.Body.(type) {
			case *dnsmessage.AResource:
				got = netip.AddrFrom4(b.A).String()
			case *dnsmessage.AAAAResource:
				got = netip.AddrFrom16(b.AAAA).String()
			}
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", what, got, c.want)
		}
	}
}

func FuzzNameServer(f *testing.F) {
	f.Add(question(f, ServerName+".", dnsmessage.TypeA))
	f.Fuzz(func(t *testing.T, b []byte) {
		reply, ok := answerDNS(b, DNSSpec{})
		var m dnsmessage.Message
		if ok && (m.Unpack(reply) != nil || !m.Response) {
			t.Errorf("got response %[2]x to %[1]x", b, reply)
		}
		if ok {
			if _, again := answerDNS(reply, DNSSpec{}); again {
				t.Error("got a response to a response, which causes an endless loop")
			}
		}
	})
}

func TestResolvConf(t *testing.T) {
	for want, s := range map[string]DNSSpec{
		"nameserver 192.168.178.1\n":                           {},
		"nameserver 198.51.100.99\nnameserver 192.168.178.1\n": {DeadFirst: true},
		"search town.example\nnameserver 192.168.178.1\n":      {Search: true},
	} {
		if got := s.resolvConf(privateGateway); got != want {
			t.Errorf("%+v: got %q, want %q", s, got, want)
		}
	}
}
