package lookup

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestParseServers(t *testing.T) {
	for file, want := range map[string][]string{
		"nameserver 192.168.178.1\n": {"192.168.178.1:53"},
		"# nameserver 1.2.3.4\nsearch a.example\nnameserver\t2001:db8::53 # a\n":         {"[2001:db8::53]:53"},
		"nameserver fe80::1%wlan0\nnameserver nonsense\nnameserver\n":                    {"[fe80::1%wlan0]:53"},
		"nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\nnameserver 1.1.1.4": {"1.1.1.1:53", "1.1.1.2:53", "1.1.1.3:53"},
		"": nil,
	} {
		var got []string
		for _, s := range parseServers([]byte(file)) {
			got = append(got, s.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", file, got, want)
		}
	}
}

func TestParseSearch(t *testing.T) {
	for file, want := range map[string][]string{
		"nameserver 192.168.178.1\n":                nil,
		"search a.example b.example. # c.example\n": {"a.example", "b.example"},
		"domain a.example\nsearch b.example\n":      {"b.example"},
		"search .\n":                                nil,
		"search":                                    nil,
	} {
		if got := parseSearch([]byte(file)); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", file, got, want)
		}
	}
}

// TestOtherServers: the system's first name server is dead or does not know the
// name, so the others are queried.
func TestOtherServers(t *testing.T) {
	const never = -1
	four := answer{addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}
	none := answer{err: &net.DNSError{Err: "no such host", IsNotFound: true}}
	ms := time.Millisecond
	for name, c := range map[string]struct {
		first, second           time.Duration // delay of the response to each query
		firstReply, secondReply answer
		addrs                   int
		notFound                bool
		took                    time.Duration
	}{
		"first dead":                                           {never, 20 * ms, four, four, 1, false, 1520 * ms},
		"first dead, second has no such name":                  {never, 20 * ms, four, none, 0, true, 6500 * ms},
		"first slow":                                           {1400 * ms, 20 * ms, four, none, 1, false, 1400 * ms},
		"first very slow, second has no such name":             {2500 * ms, 20 * ms, four, none, 1, false, 2500 * ms},
		"first has no such name after a while, second has one": {2500 * ms, 20 * ms, none, four, 1, false, 1520 * ms},
		"first has no such name":                               {20 * ms, 20 * ms, none, four, 0, true, 20 * ms},
		"both dead":                                            {never, never, four, four, 0, false, 6500 * ms},
		"the system asks the second late":                      {5020 * ms, never, four, four, 1, false, 5020 * ms},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 6500*ms)
			defer cancel()
			of := func(after time.Duration, reply answer) Resolver {
				return &server{asked: map[string]int{}, after: map[string][]time.Duration{"ip4": {after, after, after}}, reply: map[string]answer{"ip4": reply}}
			}
			p := Patient{
				Resolver: of(c.first, c.firstReply), Again: func() Resolver { return of(c.first, c.firstReply) },
				Others: func() []Resolver { return []Resolver{of(c.second, c.secondReply)} },
			}
			start := time.Now()
			addrs, err := p.LookupNetIP(ctx, "ip4", "x.example")
			e, _ := err.(*net.DNSError)
			if len(addrs) != c.addrs || (e != nil && e.IsNotFound) != c.notFound || time.Since(start) != c.took {
				t.Errorf("%s: got %v, error %v after %v, want %v", name, addrs, err, time.Since(start), c.took)
			}
			cancel()
			synctest.Wait()
		})
	}
}

// answering is a name server on loopback with a reply per query; nil is no
// response.
func answering(t *testing.T, reply func(n int, q dnsmessage.Message) []byte) netip.AddrPort {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go func() {
		b := make([]byte, 1500)
		for n := 0; ; n++ {
			size, from, err := c.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			var q dnsmessage.Message
			if q.Unpack(b[:size]) != nil {
				continue
			}
			if r := reply(n, q); r != nil {
				_, _ = c.WriteToUDPAddrPort(r, from)
			}
		}
	}()
	return c.LocalAddr().(*net.UDPAddr).AddrPort()
}

func pack(t *testing.T, q dnsmessage.Message, change func(*dnsmessage.Message)) []byte {
	t.Helper()
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: q.ID, Response: true}, Questions: q.Questions}
	change(&m)
	b, err := m.Pack()
	if err != nil {
		t.Error(err)
	}
	return b
}

func TestAskReturnsTheResponse(t *testing.T) {
	address := func(m *dnsmessage.Message) {
		m.Answers = []dnsmessage.Resource{
			{Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 1}, Body: &dnsmessage.CNAMEResource{CNAME: m.Questions[0].Name}},
			{Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 1}, Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 7}}},
		}
	}
	code := func(c dnsmessage.RCode) func(*dnsmessage.Message) { return func(m *dnsmessage.Message) { m.RCode = c } }
	for name, c := range map[string]struct {
		change func(*dnsmessage.Message)
		first  int // the first query that is answered, from 0
		want   Answer
	}{
		"an address":            {address, 0, Answer{Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.7")}}},
		"second query answered": {address, 1, Answer{Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.7")}}},
		"no address":            {func(*dnsmessage.Message) {}, 0, Answer{}},
		"no such name":          {code(dnsmessage.RCodeNameError), 0, Answer{Code: dnsmessage.RCodeNameError}},
		"server failure":        {code(dnsmessage.RCodeServerFailure), 0, Answer{Code: dnsmessage.RCodeServerFailure}},
		"refused":               {code(dnsmessage.RCodeRefused), 0, Answer{Code: dnsmessage.RCodeRefused}},
		"truncated":             {func(m *dnsmessage.Message) { m.Truncated = true }, 0, Answer{Truncated: true}},
		"authoritative":         {func(m *dnsmessage.Message) { m.Authoritative = true }, 0, Answer{Authoritative: true}},
		"a wrong ID":            {nil, 0, Answer{}},
	} {
		at := answering(t, func(n int, q dnsmessage.Message) []byte {
			if n < c.first {
				return nil
			}
			if c.change == nil {
				q.ID++
				return pack(t, q, address)
			}
			return pack(t, q, c.change)
		})
		limit := 5 * time.Second
		if c.change == nil {
			limit = 300 * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		got, err := Ask(ctx, at, "BBB.example", dnsmessage.TypeA)
		cancel()
		if (err == nil) != (c.change != nil) || got.Code != c.want.Code || got.Truncated != c.want.Truncated || got.Authoritative != c.want.Authoritative || !slices.Equal(got.Addrs, c.want.Addrs) {
			t.Errorf("%s: got %+v, error %v; want %+v", name, got, err, c.want)
		}
	}
}

func FuzzReadAnswer(f *testing.F) {
	query, err := newQuery("bbb.example", dnsmessage.TypeA)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(query)
	f.Add(append([]byte{query[0], query[1], 0x81, 0x80}, query[4:]...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1 {
			b[0], b[1] = query[0], query[1]
		}
		a, ok := readAnswer(b, query)
		if !ok && (a.Addrs != nil || a.Code != 0) {
			t.Errorf("%x: got %+v, want nothing from an invalid response", b, a)
		}
	})
}
