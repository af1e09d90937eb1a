package netbench

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// searchDomain is the search domain of the home network.
const searchDomain = "town.example"

// nameServer is the home router's name server. It resolves the names of the server, and
// simulates delays and faults. It supports UDP only; its TCP port is closed.
type nameServer struct {
	conns []net.PacketConn
	spec  atomic.Pointer[DNSSpec]
	work  sync.WaitGroup
}

// listenDNS binds addresses in the calling thread's namespace.
func listenDNS(addrs ...netip.Addr) (*nameServer, error) {
	s := &nameServer{}
	s.spec.Store(&DNSSpec{})
	for _, a := range addrs {
		c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 53)))
		if err != nil {
			s.close()
			return nil, err
		}
		s.conns = append(s.conns, c)
	}
	return s, nil
}

func (s *nameServer) serve(ctx context.Context) {
	for _, c := range s.conns {
		s.work.Go(func() {
			buf := make([]byte, 1500)
			for {
				n, from, err := c.ReadFrom(buf)
				if err != nil {
					return
				}
				spec := *s.spec.Load()
				reply, ok := answerDNS(append([]byte(nil), buf[:n]...), spec)
				if !ok {
					continue
				}
				s.work.Go(func() {
					select {
					case <-ctx.Done():
					case <-time.After(time.Duration(spec.DelayMS * float64(time.Millisecond))):
						_, _ = c.WriteTo(reply, from)
					}
				})
			}
		})
	}
}

func (s *nameServer) close() {
	for _, c := range s.conns {
		_ = c.Close()
	}
	s.work.Wait()
}

// addressesOf returns the addresses of a name of the server, as from a working name server.
func addressesOf(q dnsmessage.Question, spec DNSSpec) (answers []dnsmessage.Resource) {
	var body dnsmessage.ResourceBody
	switch {
	case q.Class != dnsmessage.ClassINET:
	case q.Type == dnsmessage.TypeA && spec.Says != "":
		body = &dnsmessage.AResource{A: netip.MustParseAddr(spec.Says).As4()} // already validated
	case q.Type == dnsmessage.TypeA:
		body = &dnsmessage.AResource{A: serverAddr.As4()}
	case q.Type == dnsmessage.TypeAAAA && spec.ipv6:
		body = &dnsmessage.AAAAResource{AAAA: server6Addr.As16()}
	}
	if body == nil {
		return nil // the name exists, but has no address of this type
	}
	header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60}
	return []dnsmessage.Resource{{Header: header, Body: body}}
}

// answerDNS returns the response to a query (RFC 1035 §4); ok is false if there is
// none.
func answerDNS(query []byte, spec DNSSpec) (reply []byte, ok bool) {
	var q dnsmessage.Message
	if err := q.Unpack(query); err != nil || q.Response || len(q.Questions) != 1 || spec.Fails == "silent" {
		return nil, false
	}
	a := dnsmessage.Message{
		Header: dnsmessage.Header{
			ID: q.ID, Response: true, RecursionDesired: q.RecursionDesired, RecursionAvailable: true,
		},
		Questions: q.Questions,
	}
	question := q.Questions[0]
	if spec.offers && strings.HasPrefix(strings.ToLower(question.Name.String()), "wpad.") {
		spec.Says = privateGateway.String()
		a.Answers = addressesOf(question, spec)
		reply, err := a.Pack()
		return reply, err == nil
	}
	if spec.Fails == "silent_aaaa" && question.Type == dnsmessage.TypeAAAA {
		return nil, false
	}
	name := strings.ToLower(question.Name.String())
	known := name == ServerName+"." || slices.Contains(ConferenceNames(), strings.TrimSuffix(name, "."))
	isAddress := question.Type == dnsmessage.TypeA || question.Type == dnsmessage.TypeAAAA
	switch {
	case spec.Search && strings.HasSuffix(name, "."+searchDomain+"."), spec.Hijacks && (!known || spec.Fails == "nxdomain"):
		spec.Says, spec.ipv6 = ispAddr.String(), false
		a.Answers = addressesOf(question, spec)
	case spec.Fails == "truncated":
		a.Truncated = true
	case spec.Fails == "hidden" && known:
	case spec.Fails == "hidden_nxdomain" && known:
		if isAddress {
			a.RCode = dnsmessage.RCodeNameError
		}
	case spec.Fails == "servfail", spec.Fails == "uncached" && !known:
		a.RCode = dnsmessage.RCodeServerFailure
	case spec.Fails == "refused":
		a.RCode = dnsmessage.RCodeRefused
	case spec.Fails == "nxdomain", !known:
		a.RCode = dnsmessage.RCodeNameError
	default:
		a.Answers = addressesOf(question, spec)
	}
	reply, err := a.Pack()
	return reply, err == nil
}

// resolvConf returns the resolv.conf(5) of a home whose router is this name server.
func (s DNSSpec) resolvConf(gateway netip.Addr) string {
	file := "nameserver " + gateway.String() + "\n"
	if s.DeadFirst {
		file = "nameserver " + unusedAddr.String() + "\n" + file
	}
	if s.Search {
		file = "search " + searchDomain + "\n" + file
	}
	return file
}
