package relaytest

import (
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/pion/transport/v4"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

func listOf(urls ...string) List {
	return List{ICEConfig: wire.ICEConfig{ICEServers: []wire.ICEServer{{URLs: urls, Username: "c", Credential: "d"}}}}
}

// TestRelaysAreJudged: one working relay is sufficient; a relay's response has priority
// over silence. What was not tested is neither good nor a fault.
func TestRelaysAreJudged(t *testing.T) {
	relay := func(allocated bool, permitted *bool, fault string) report.TURNRelay {
		return report.TURNRelay{Allocated: &allocated, Permitted: permitted, Error: fault}
	}
	works, denied, silent, refuses := relay(true, new(true), ""), relay(true, new(false), "denied"), relay(false, nil, "unreachable"), relay(false, nil, "auth_failed")
	mute := relay(true, nil, "") // about the permission
	at := func(r report.TURNRelay, transport string, port int) report.TURNRelay {
		r.Transport, r.Port = transport, &port
		return r
	}
	all := func(r ...report.TURNRelay) []report.TURNRelay { return r }
	media, media6 := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")
	for name, c := range map[string]struct {
		tried tried
		want  string
	}{
		"one works":                     {tried{relays: all(silent, works), media: media}, "ok"},
		"one works, another is mute":    {tried{relays: all(mute, works), media: media}, "ok"},
		"one works, another is unnamed": {tried{relays: all(works), unnamed: 1, media: media}, "ok"},
		"one works, another denies":     {tried{relays: all(denied, works), media: media}, "warn denied"},
		"one works, another refuses":    {tried{relays: all(refuses, works), media: media}, "warn auth_failed"},
		"one works, another is full":    {tried{relays: all(relay(false, nil, "quota"), works), media: media}, "warn quota"},
		"one works, wrong certificate":  {tried{relays: all(works, relay(false, nil, "tls")), media: media}, "warn certificate"},
		"one works, another is dead":    {tried{relays: all(at(works, "udp", 3478), at(silent, "udp", 3478)), media: media}, "warn unreachable"},
		"silent at another port":        {tried{relays: all(at(works, "udp", 3478), at(silent, "udp", 443)), media: media}, "ok"},
		"silent over another transport": {tried{relays: all(at(works, "tcp", 443), at(silent, "tls", 443)), media: media}, "ok"},
		"full":                          {tried{relays: all(silent, relay(false, nil, "quota")), media: media}, "fail quota"},
		"wrong certificate":             {tried{relays: all(silent, relay(false, nil, "tls")), media: media}, "fail certificate"},
		"no address to ask for":         {tried{relays: all(silent, mute)}, "ok"},
		"denied":                        {tried{relays: all(silent, denied), media: media}, "fail denied"},
		"denied, another is mute":       {tried{relays: all(mute, denied), media: media}, "fail denied"},
		"refuses":                       {tried{relays: all(silent, refuses), media: media}, "fail auth_failed"},
		"silent":                        {tried{relays: all(silent), media: media}, "fail unreachable"},
		"silent and unnamed":            {tried{relays: all(silent), unnamed: 1, media: media}, "fail unreachable"},
		"mute":                          {tried{relays: all(silent, mute), media: media}, "unknown no_answer"},
		"mute, an IPv4-mapped address":  {tried{relays: all(mute), media: netip.MustParseAddr("::ffff:192.0.2.7")}, "unknown no_answer"},
		"mute until the end":            {tried{relays: all(mute), media: media, ended: true}, "unknown no_time"},
		"relays of the other family":    {tried{relays: all(mute), media: media6}, "unknown not_measured"},
		"unnamed":                       {tried{unnamed: 2, media: media}, "unknown no_name"},
		"no route to any":               {tried{media: media}, "unknown not_measured"},
		"no time":                       {tried{media: media, ended: true}, "unknown no_time"},
		"no time, unnamed":              {tried{unnamed: 1, media: media, ended: true}, "unknown no_time"},
	} {
		o := judge(c.tried, listOf("turn:b"))
		if got := strings.TrimSpace(string(o.Status) + " " + o.Code); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

// nameless is a network in which no name can be resolved.
type nameless struct{ transport.Net }

func (nameless) ResolveUDPAddr(_, address string) (*net.UDPAddr, error) {
	return nil, &net.DNSError{Err: "no such host", Name: address, IsNotFound: true}
}

func (nameless) CreateDialer(*net.Dialer) transport.Dialer { return noDialer{} }

type noDialer struct{}

func (noDialer) Dial(network, address string) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Net: network, Err: &net.DNSError{Err: "no such host", Name: address, IsNotFound: true}}
}

// TestUnnamedRelays: a list whose names do not exist is not a lack of time.
func TestUnnamedRelays(t *testing.T) {
	for _, query := range []string{"", "?transport=tcp"} {
		env := probetest.Env(t)
		env.Net = nameless{env.Net}
		v := visit.New(visit.Config{URL: &url.URL{Scheme: "https", Host: "bbb.example.org"}, Direct: true}, env)
		defer v.Close()
		Start(t.Context(), v, listOf("turn:turn.example"+query), netip.MustParseAddr("192.0.2.7")).Record()
		if step, _ := v.Data.Check(report.StepRelay); step.Status != report.StatusUnknown || step.Code != "no_name" || len(v.Data.Relays) != 0 {
			t.Errorf("%q: got %s %s, relays %+v, want unknown no_name, none", query, step.Status, step.Code, v.Data.Relays)
		}
	}
}

// panickingNet is a network whose sockets panic, as the processing of an answer could. It is
// used by the goroutines that test a relay.
type panickingNet struct{ transport.Net }

func (panickingNet) ListenUDP(string, *net.UDPAddr) (transport.UDPConn, error) {
	panic("a foreign byte")
}
func (panickingNet) ListenPacket(string, string) (net.PacketConn, error) { panic("a foreign byte") }

// TestPanic: a panic in the goroutines that test the relays does not end the program, and
// nothing is known about the relays then.
func TestPanic(t *testing.T) {
	env := probetest.Env(t)
	env.Net = panickingNet{env.Net}
	v := visit.New(visit.Config{URL: &url.URL{Scheme: "https", Host: "127.0.0.1"}, Direct: true}, env)
	defer v.Close()
	Start(t.Context(), v, listOf("turn:127.0.0.1:9", "turn:127.0.0.1:10"), netip.Addr{}).Record()
	if step, _ := v.Data.Check(report.StepRelay); step.Status != report.StatusUnknown || step.Code != "not_measured" {
		t.Errorf("got %s %s, want unknown not_measured", step.Status, step.Code)
	}
}
