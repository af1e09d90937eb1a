package confbench

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/transport/v4/stdnet"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/conference"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/bbbrig"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/target"
)

// councillors is the size of a council that checks at once.
const councillors = 30

// What a participant who joins, speaks and leaves costs a BigBlueButton 3.0: the page and
// its requests, and the WebSockets of GraphQL and of the SFU. A browser opens up to six
// connections to a host without HTTP/2.
const (
	connectionsOfParticipant = 4
	socketsOfParticipant     = 2
	kbpsOfParticipant        = 40 // maxaveragebitrate=30000 of the SFU's answer, and headers
)

// countingListener counts connections and their bytes.
type countingListener struct {
	net.Listener
	accepted, read, written atomic.Int64
}

func (l *countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.accepted.Add(1)
	return countingConn{c, l}, nil
}

type countingConn struct {
	net.Conn
	of *countingListener
}

func (c countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.of.read.Add(int64(n))
	return n, err
}

func (c countingConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.of.written.Add(int64(n))
	return n, err
}

// TestCrowd: 30 councillors who check at once cost one BigBlueButton no more than 30
// participants who join and leave.
func TestCrowd(t *testing.T) {
	need.Minutes(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	counted := &countingListener{Listener: l}
	certificate, roots := localCertificate()
	address := "https://" + l.Addr().String()
	r := bbbrig.Start(t, bbbrig.Config{Secret: bbbSecret, Place: &bbbrig.Place{
		Listener: counted, URL: address, Certificate: certificate, Media: netip.MustParseAddr("127.0.0.1"),
	}})
	// The collector's part: one meeting for all of them.
	meetings := target.NewMeetings(time.Now, rand.Reader, slog.New(slog.DiscardHandler))
	meetings.Client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	town := target.Target{Name: "Rathaus", System: "bbb", URL: address, Secret: bbbSecret, Hash: "sha256"}
	var most, mostMeetings atomic.Int64
	watching, stop := context.WithCancel(t.Context())
	var watcher sync.WaitGroup
	watcher.Go(func() {
		for watching.Err() == nil {
			c := r.Count()
			most.Store(max(most.Load(), int64(c.Sockets)))
			mostMeetings.Store(max(mostMeetings.Load(), int64(c.Meetings)))
			time.Sleep(20 * time.Millisecond)
		}
	})
	began := time.Now()
	results := make([]*report.Conference, councillors)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			link, err := meetings.Link(t.Context(), town)
			if err != nil {
				t.Error(err)
				return
			}
			results[i] = visitBBB(t, address, link, roots)
		})
	}
	wg.Wait()
	took := time.Since(began)
	stop()
	watcher.Wait()
	if !r.Left(10 * time.Second) {
		t.Errorf("left behind: %+v, want nothing", r.Count())
	}
	meetings.Close()
	heard := 0
	for _, c := range results {
		if c == nil {
			continue
		}
		if down, _ := c.Check(report.StepSoundDown); down.Status == report.StatusOK {
			heard++
		} else {
			t.Logf("failed at %s %s, sound down %s %s", c.FailedStep, c.FailedCode, down.Status, down.Code)
		}
	}
	c := r.Count()
	received, sent := r.Sound()
	seconds := took.Seconds()
	t.Logf("\n| 30 councillors at once, a BigBlueButton 3.0 | |\n|---|---|\n| heard their echo, in | %d, %.1f s |\n| joins, participants and calls left | %d, %d, %d |\n| calls to the echo, into a conference room | %d, %d |\n"+
		"| meetings at once, left | %d, %d |\n| TCP connections, WebSockets at once | %d, %d |\n| signalling received, sent | %.0f kB, %.0f kB |\n| sound received, sent | %.1f kB/s, %.1f kB/s |\n",
		heard, seconds, c.Joins, c.Present, c.Calls, c.Echoes, c.Rooms, mostMeetings.Load(), c.Meetings,
		counted.accepted.Load(), most.Load(), float64(counted.read.Load())/1e3, float64(counted.written.Load())/1e3,
		float64(received)/1e3/seconds, float64(sent)/1e3/seconds)
	switch {
	case c.Joins > councillors, c.Echoes > councillors, c.Rooms != 0, c.Digits != 0:
		t.Errorf("got more than %d participants: %+v", councillors, c)
	case c.Meetings != 0, mostMeetings.Load() > 1:
		t.Errorf("got %d meetings at once, %d left at the end; want at most 1, 0", mostMeetings.Load(), c.Meetings)
	case counted.accepted.Load() > councillors*connectionsOfParticipant+2: // two of the collector
		t.Errorf("got %d connections, want at most %d", counted.accepted.Load(), councillors*connectionsOfParticipant+2)
	case most.Load() > councillors*socketsOfParticipant:
		t.Errorf("got %d WebSockets at once, want at most %d", most.Load(), councillors*socketsOfParticipant)
	case float64(received)*8/1000/seconds > councillors*kbpsOfParticipant:
		t.Errorf("got %d bytes of sound in %v, want at most %d kbit/s", received, took, councillors*kbpsOfParticipant)
	}
	if heard < councillors*9/10 {
		t.Errorf("%d of %d received their echo, want 9 of 10", heard, councillors)
	}
}

func visitBBB(t *testing.T, address, link string, roots *x509.CertPool) *report.Conference {
	u, err := url.Parse(link)
	if err != nil {
		t.Error("the join link is invalid")
		return nil
	}
	return visitWith(t.Context(), t, conference.Config{Address: address + "/bigbluebutton", JoinLink: u, RootCAs: roots})
}

// visitWith runs one check of a conference system in this program.
func visitWith(ctx context.Context, t testing.TB, c conference.Config) *report.Conference {
	t.Helper()
	n, err := stdnet.NewNet()
	if err != nil {
		t.Error(err)
		return nil
	}
	env := probe.Env{Clock: probe.SystemClock{}, Net: n, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler), Progress: func(probe.Event) {}}
	c.Direct = true
	p, err := conference.Find(ctx, c, env)
	if err != nil || p == nil {
		t.Errorf("no system at %s: %v", c.Address, err)
		return nil
	}
	r, err := p.Run(ctx, env)
	if err != nil {
		t.Error(err)
		return nil
	}
	return r.Data.(*report.Conference)
}

// localCertificate returns httptest's certificate of 127.0.0.1.
func localCertificate() (tls.Certificate, *x509.CertPool) {
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s.TLS.Certificates[0], roots
}
