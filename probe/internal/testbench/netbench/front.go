package netbench

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// CollectorSpec describes a fault at the collector's site. It is simulated by a box
// in front of the real collector that has its certificate, like a reverse proxy.
type CollectorSpec struct {
	// Status is the status of every response, such as 500 or 503.
	Status int `toml:"status"`
	// BrokenPath limits Status to requests whose path has this prefix.
	BrokenPath string `toml:"broken_path"`
	// SlowMS is the delay of each response.
	SlowMS float64 `toml:"slow_ms"`
	// ClockS is added to every time in the collector's responses. For the
	// participant this is equivalent to the opposite error of their own clock.
	ClockS float64 `toml:"clock_s"`
	// ClockAlone means that only the collector's clock is wrong and the router's is
	// right; otherwise the router's clock agrees with the collector's.
	ClockAlone bool `toml:"clock_alone"`
	// TURN is wrong_secret (the relay has another secret than the one for the
	// credentials), elsewhere (the list contains a relay that does not exist) or
	// absent.
	TURN string `toml:"turn"`
	// Reflector is the state of the reflector according to the collector: reached
	// (other homes have reached it), unreached (none has) or dead (they had, until
	// it became silent). Without it the collector reports its state from
	// earlier scenarios.
	Reflector string `toml:"reflector"`
	// Refused closes the port, as if the collector were not running.
	Refused bool `toml:"refused"`
	// Certificate is the fault of the certificate: expired, wrong_name or
	// untrusted; or a valid replacement: renewed (another key of the same
	// authority), by_clock (issued at the time given by ClockS, so it appears
	// invalid to a clock that is years off).
	Certificate string `toml:"certificate"`
	// EveryPage makes port 80 of the server respond to every request with a page,
	// as web applications do.
	EveryPage bool `toml:"every_page"`
	// Port is the collector's port for participants; 0 means 443. If it is another
	// port, 443 is open too, with another web server.
	Port uint16 `toml:"port"`
}

func (s CollectorSpec) validate() error {
	if !slices.Contains([]string{"", "wrong_secret", "elsewhere", "absent"}, s.TURN) {
		return fmt.Errorf("turn = %q: want wrong_secret, elsewhere or absent", s.TURN)
	}
	if !slices.Contains([]string{"", "reached", "unreached", "dead"}, s.Reflector) {
		return fmt.Errorf("reflector = %q: want reached, unreached or dead", s.Reflector)
	}
	if s.Port != 0 && s.Port != movedPort {
		return fmt.Errorf("port = %d: the home is enrolled at %d and %d", s.Port, collectorPort, movedPort)
	}
	if !slices.Contains([]string{"", "expired", "wrong_name", "untrusted", "renewed", "by_clock"}, s.Certificate) {
		return fmt.Errorf("certificate = %q: want expired, wrong_name, untrusted, renewed or by_clock", s.Certificate)
	}
	if s.Status != 0 && (s.Status < 400 || s.Status > 599) {
		return fmt.Errorf("status = %d: want 400 to 599", s.Status)
	}
	if !(s.SlowMS >= 0 && s.SlowMS <= 60000) {
		return fmt.Errorf("slow_ms = %v: want 0 to 60,000", s.SlowMS)
	}
	return nil
}

// public returns the collector's port as seen by participants.
func (s CollectorSpec) public() uint16 { return cmp.Or(s.Port, collectorPort) }

// port returns the port to which the public port is redirected in this scenario.
func (s CollectorSpec) port() uint16 {
	moved := CollectorSpec{Port: s.Port, EveryPage: s.EveryPage}
	switch {
	case s.Refused:
		return closedPort
	case s != moved:
		return frontPort
	}
	return collectorPort
}

// front is the box in front of the collector.
type front struct {
	server *http.Server
	onward *httputil.ReverseProxy
	tls    *frontTLS
	spec   atomic.Pointer[CollectorSpec]
}

func (f *front) load(s CollectorSpec) error {
	f.spec.Store(&s)
	return f.tls.load(s)
}

// listenFront binds the server's address in the calling thread's namespace, with
// the certificate stored beside the collector's authority.
func listenFront(ca string, from dial) (serve func(), f *front, err error) {
	certificates, err := newFrontTLS(filepath.Dir(ca))
	if err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp4", netip.AddrPortFrom(serverAddr, frontPort).String())
	if err != nil {
		return nil, nil, fmt.Errorf("open the middlebox in front of the collector: %w", err)
	}
	f = &front{tls: certificates}
	f.spec.Store(&CollectorSpec{})
	f.onward = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "https", Host: collectorInside})
			r.Out.Host = r.In.Host
			r.Out.Header.Del("Accept-Encoding") // a compressed response cannot be modified
		},
		Transport:      &http.Transport{DialContext: from, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: ServerName}},
		ModifyResponse: f.rewrite,
		ErrorLog:       log.New(io.Discard, "", 0),
	}
	f.server = &http.Server{Handler: f, ReadHeaderTimeout: 5 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	l = tls.NewListener(l, &tls.Config{GetCertificate: certificates.certificate, NextProtos: []string{"http/1.1"}})
	l = &frontListener{Listener: l, onward: from}
	return func() { go func() { _ = f.server.Serve(l) }() }, f, nil
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := f.spec.Load()
	select {
	case <-r.Context().Done():
		return
	case <-time.After(time.Duration(s.SlowMS * float64(time.Millisecond))):
	}
	if s.Status != 0 && strings.HasPrefix(r.URL.Path, s.BrokenPath) {
		http.Error(w, "out of order", s.Status)
		return
	}
	f.onward.ServeHTTP(w, r)
}

func (f *front) rewrite(r *http.Response) error {
	s := f.spec.Load()
	s.shiftClock(r.Header)
	f.tls.announce(r)
	if s.TURN == "" && s.Reflector == "" || r.Request.URL.Path != "/api/v1/ice" || r.StatusCode != http.StatusOK {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if err == nil {
		body, err = s.changeList(body)
	}
	if err != nil {
		return fmt.Errorf("rewrite the list of servers: %w", err)
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}

func (s CollectorSpec) shiftClock(h http.Header) {
	shift := time.Duration(s.ClockS * float64(time.Second))
	if ms, err := strconv.ParseInt(h.Get(wire.HeaderTimeMS), 10, 64); err == nil {
		h.Set(wire.HeaderTimeMS, strconv.FormatInt(ms+shift.Milliseconds(), 10))
	}
	if at, err := http.ParseTime(h.Get("Date")); err == nil {
		h.Set("Date", at.Add(shift).Format(http.TimeFormat))
	}
}

// changeList modifies the list of servers and the state of the reflector.
func (s CollectorSpec) changeList(body []byte) ([]byte, error) {
	var c wire.ICEConfig
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	s.spoilRelays(&c)
	const heardMS = 20_000
	switch s.Reflector {
	case "reached":
		c.HeardMS = new(int64(heardMS))
	case "unreached":
		c.HeardMS = nil
	case "dead":
		c.HeardMS, c.AnsweredMS = new(int64(heardMS)), nil
		CollectorSpec{TURN: "elsewhere"}.spoilRelays(&c) // the relays belong to the reflector
	}
	return json.Marshal(c)
}

// spoilRelays modifies the relays in the list, but not the STUN servers.
func (s CollectorSpec) spoilRelays(c *wire.ICEConfig) {
	isRelay := func(url string) bool { return strings.HasPrefix(url, "turn") }
	for i := range c.ICEServers {
		server := &c.ICEServers[i]
		if !slices.ContainsFunc(server.URLs, isRelay) {
			continue
		}
		switch s.TURN {
		case "wrong_secret":
			server.Credential = "c2lnbmVkIHdpdGggYW5vdGhlcg=="
		case "absent":
			server.URLs = slices.DeleteFunc(server.URLs, isRelay)
		case "elsewhere":
			for k, u := range server.URLs {
				if isRelay(u) {
					server.URLs[k] = strings.Replace(u, ServerName, unusedAddr.String(), 1)
				}
			}
		}
	}
	c.ICEServers = slices.DeleteFunc(c.ICEServers, func(v wire.ICEServer) bool { return len(v.URLs) == 0 })
}
