package confbench

import (
	"cmp"
	"crypto/rand"
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
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/internal/testbench/bbbrig"
)

// envPart names the variable that makes this program a server, when it is started again
// in the server's namespace.
const envPart = "TONPROBE_CONFBENCH_PART"

// part describes a server.
type part struct {
	Kind      string // bbb, front or ingest
	Listen    string
	Host      string
	Cert, Key string // PEM; "" without TLS
	Media     netip.Addr

	Upstream string // of a front: the URL of the server behind it; "" for none
	Fault    string // of a front or an ingest

	Version string // of a BigBlueButton
	Bridge  string // its audio bridge; "" for the default of the version
	Faults  map[bbbrig.Step]bbbrig.Fault
	Stuns   string
	Hide    bool
}

const ready = "the server is ready"

// TestServe runs one server until its standard input ends.
func TestServe(t *testing.T) {
	text := os.Getenv(envPart)
	if text == "" {
		return
	}
	var p part
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	if err := p.start(t); err != nil {
		t.Fatal(err)
	}
	fmt.Println(ready)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func (p part) start(t *testing.T) error {
	l, err := net.Listen("tcp", p.Listen)
	if err != nil {
		return err
	}
	var c tls.Certificate
	if p.Cert != "" {
		if c, err = tls.X509KeyPair([]byte(p.Cert), []byte(p.Key)); err != nil {
			return err
		}
	}
	secure := func() net.Listener {
		if p.Cert == "" {
			return l
		}
		return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{c}})
	}
	switch p.Kind {
	case "bbb":
		_, port, _ := net.SplitHostPort(p.Listen)
		bbbrig.Start(t, bbbrig.Config{
			Version: p.Version, Bridge: p.Bridge, Secret: bbbSecret, Faults: p.Faults, Stuns: p.Stuns,
			Place: &bbbrig.Place{Listener: l, URL: "https://" + net.JoinHostPort(p.Host, port), Certificate: c, Media: p.Media},
		})
	case "front":
		s := &http.Server{Handler: p.front(), ErrorLog: log.New(io.Discard, "", 0)}
		go func() { _ = s.Serve(secure()) }()
		return p.awaitUpstream()
	case "ingest":
		go p.ingest(secure())
	}
	return nil
}

// awaitUpstream waits until the server behind a front accepts connections.
func (p part) awaitUpstream() error {
	if p.Upstream == "" || p.Fault == "down" {
		return nil
	}
	u, err := url.Parse(p.Upstream)
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", u.Host)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the server behind the front does not start: %w", err)
		}
	}
}

// front is a web server in front of a conference server, like nginx, or in place of it.
func (p part) front() http.Handler {
	var onward http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusOK) })
	if u, err := url.Parse(p.Upstream); err == nil && p.Upstream != "" {
		onward = &httputil.ReverseProxy{
			Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(u) },
			ErrorLog: log.New(io.Discard, "", 0),
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fault, path, _ := strings.Cut(p.Fault, " ")
		if !strings.HasPrefix(r.URL.Path, path) {
			fault = ""
		}
		switch fault {
		case "500", "503", "404":
			var status int
			_, _ = fmt.Sscan(fault, &status)
			http.Error(w, "out of order", status)
		case "page":
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<!doctype html><title>Wartung</title><p>Wir sind bald zurück.")
		case "redirect":
			http.Redirect(w, r, "https://login.example.org/", http.StatusFound)
		case "country":
			http.Redirect(w, r, "https://de.zoom.us/", http.StatusFound)
		case "hang":
			<-r.Context().Done()
		case "slow":
			time.Sleep(600 * time.Millisecond)
			onward.ServeHTTP(w, r)
		case "endless":
			for {
				if _, err := w.Write(make([]byte, 1<<14)); err != nil {
					return
				}
			}
		default:
			onward.ServeHTTP(w, r)
		}
	})
}

// ingest performs the server's part of the handshake of RTMP (Adobe RTMP 1.0 §5.2).
func (p part) ingest(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = c.Close() }()
			const chunk = 1536
			c01 := make([]byte, 1+chunk)
			if _, err := io.ReadFull(c, c01); err != nil {
				return
			}
			switch p.Fault {
			case "web":
				_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
				return
			case "hang":
				_, _ = io.Copy(io.Discard, c)
				return
			}
			s1 := make([]byte, chunk)
			_, _ = rand.Read(s1[8:])
			_, _ = c.Write(append(append([]byte{3}, s1...), c01[1:]...))
			_, _ = io.Copy(io.Discard, c)
		}()
	}
}

// host returns the name for the certificate.
func (p part) host() string { return cmp.Or(p.Host, "janus.example.org") }
