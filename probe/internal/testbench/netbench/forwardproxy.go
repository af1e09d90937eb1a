package netbench

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// ProxySpec is an explicit web proxy on the gateway, port 3128. Direct connections
// are blocked by the filters of the scenario.
type ProxySpec struct {
	// Known says how programs learn of the proxy: environment (HTTPS_PROXY),
	// desktop (the settings of GNOME), script (these refer to a PAC script that the
	// gateway serves), or network (the network offers the script, WPAD).
	Known string `toml:"known"`
	// Demands requires a user name and a password (407, RFC 9110 §15.5.8), which the
	// participant does not have.
	Demands bool `toml:"demands"`
	// Fails is "", refused (nothing listens), silent (it accepts connections and
	// does not respond), unresolved (its name has no address), certificate (it uses
	// TLS with an untrusted certificate) or page (a web server responds instead).
	Fails string `toml:"fails"`
	// Status is the status of the response to each CONNECT; 0 opens the tunnel.
	Status int `toml:"status"`
	// Script is the fault of the script: "", missing (404), page (HTML), cut
	// (truncated), loop (endless), huge (2 MB), or modern: it is correct and
	// requires current JavaScript.
	Script string `toml:"script"`
}

func (s *ProxySpec) validate() error {
	if s.Known == "" {
		s.Known = "environment"
	}
	if !slices.Contains([]string{"environment", "desktop", "script", "network"}, s.Known) {
		return fmt.Errorf("known = %q: want environment, desktop, script or network", s.Known)
	}
	if !slices.Contains([]string{"", "refused", "silent", "unresolved", "certificate", "page"}, s.Fails) || s.Status != 0 && (s.Status < 200 || s.Status > 599) {
		return fmt.Errorf("fails = %q, status = %d", s.Fails, s.Status)
	}
	if !slices.Contains([]string{"", "missing", "page", "cut", "loop", "huge", "modern"}, s.Script) || s.Script != "" && s.Known != "script" {
		return fmt.Errorf("script = %q with known = %q", s.Script, s.Known)
	}
	return nil
}

// address returns the proxy's address for the settings.
func (s *ProxySpec) address(gateway netip.Addr) *url.URL {
	switch s.Fails {
	case "refused":
		return &url.URL{Scheme: "http", Host: netip.AddrPortFrom(gateway, noProxyPort).String()}
	case "unresolved":
		return &url.URL{Scheme: "http", Host: net.JoinHostPort("proxy.rathaus.example", strconv.Itoa(proxyPort))}
	case "certificate":
		return &url.URL{Scheme: "https", Host: netip.AddrPortFrom(gateway, proxyTLSPort).String()}
	}
	return &url.URL{Scheme: "http", Host: netip.AddrPortFrom(gateway, proxyPort).String()}
}

// environment returns the agent's proxy variables.
func (s *ProxySpec) environment(gateway netip.Addr) []string {
	if s == nil || s.Known != "environment" {
		return nil
	}
	at := s.address(gateway).String()
	return []string{"HTTPS_PROXY=" + at, "HTTP_PROXY=" + at, "https_proxy=" + at, "http_proxy=" + at}
}

// desktop returns the output of GNOME's settings program; "" if there are no
// settings.
func (s *ProxySpec) desktop(gateway netip.Addr) string {
	switch {
	case s != nil && s.Known == "desktop":
		at := s.address(gateway)
		host, port := "'"+at.Hostname()+"'", at.Port()
		return "org.gnome.system.proxy mode 'manual'\n" +
			"org.gnome.system.proxy.http host " + host + "\norg.gnome.system.proxy.http port " + port + "\n" +
			"org.gnome.system.proxy.https host " + host + "\norg.gnome.system.proxy.https port " + port + "\n"
	case s != nil && s.Known == "script":
		return "org.gnome.system.proxy mode 'auto'\n" +
			"org.gnome.system.proxy autoconfig-url 'http://" + netip.AddrPortFrom(gateway, proxyPort).String() + scriptPath + "'\n"
	}
	return ""
}

// Paths of the script: for the settings, and for WPAD.
const (
	scriptPath = "/proxy.pac"
	offerPath  = "/wpad.dat"
)

// script returns a typical script of a town hall: its own names directly, all
// others through the proxy.
func script(gateway netip.Addr, fault string) string {
	const old = `function FindProxyForURL(url, host) {
	if (isPlainHostName(host) || shExpMatch(host, "*.rathaus.example")) return "DIRECT";
	return "PROXY `
	at := netip.AddrPortFrom(gateway, proxyPort).String()
	switch fault {
	case "page":
		return "<!DOCTYPE html><html><head><title>Intranet</title></head><body>Bitte anmelden</body></html>"
	case "cut":
		return old
	case "loop":
		return "function FindProxyForURL(url, host) { for (;;) ; }"
	case "huge":
		return strings.Repeat("// Filiale\n", 200_000) + old + at + "\";\n}\n"
	case "modern":
		return "const own = [\"rathaus.example\", \"stadt.example\"];\n" +
			"let inside = host => !host.includes(\".\") || own.some(n => host.endsWith(`.${n}`));\n" +
			"function FindProxyForURL(url, host) {\n\tconst [proxy] = [`PROXY " + at + "`];\n" +
			"\treturn inside(host) ? \"DIRECT\" : proxy;\n}\n"
	}
	return old + at + "\";\n}\n"
}

// dial opens a connection from a given host.
type dial func(ctx context.Context, network, address string) (net.Conn, error)

// forwardProxy is an HTTP proxy (RFC 9110 §9.3.6).
type forwardProxy struct {
	server *http.Server
	at     netip.Addr
	dial   dial
	spec   atomic.Pointer[ProxySpec]
	// clock is the offset of the router's clock from this machine's.
	clock atomic.Int64
}

// listenProxy binds addr in the calling thread's namespace, and port 80 for WPAD.
func listenProxy(addr netip.Addr, from dial) (serve func(), p *forwardProxy, err error) {
	p = &forwardProxy{at: addr, dial: from}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 5 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	p.spec.Store(&ProxySpec{})
	var listeners []net.Listener
	for _, port := range []uint16{proxyPort, 80} {
		l, err := net.Listen("tcp4", netip.AddrPortFrom(addr, port).String())
		if err != nil {
			return nil, p, fmt.Errorf("open the proxy: %w", err)
		}
		listeners = append(listeners, l)
	}
	maker, err := newAuthority("Proxy maker")
	if err != nil {
		return nil, p, err
	}
	cert, err := maker.issue(addr.String())
	if err != nil {
		return nil, p, err
	}
	l, err := net.Listen("tcp4", netip.AddrPortFrom(addr, proxyTLSPort).String())
	if err != nil {
		return nil, p, fmt.Errorf("open the proxy with TLS: %w", err)
	}
	listeners = append(listeners, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}}))
	return func() {
		for _, l := range listeners {
			go func() { _ = p.server.Serve(l) }()
		}
	}, p, nil
}

func (p *forwardProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	spec := p.spec.Load()
	w.Header().Set("Date", time.Now().Add(time.Duration(p.clock.Load())).UTC().Format(http.TimeFormat))
	switch {
	case (r.URL.Path == scriptPath || r.URL.Path == offerPath) && !r.URL.IsAbs():
		if spec.Script == "missing" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/x-ns-proxy-autoconfig")
		_, _ = io.WriteString(w, script(p.at, spec.Script))
	case spec.Fails == "silent":
		select {
		case <-r.Context().Done():
		case <-time.After(time.Minute):
		}
	case spec.Fails == "page":
		_, _ = io.WriteString(w, "<html><body>It works!</body></html>")
	case spec.Status != 0:
		if spec.Status/100 == 3 {
			w.Header().Set("Location", "http://filter.rathaus.example/login")
		}
		http.Error(w, "<html><body>Gesperrt: Kategorie Videokonferenz</body></html>", spec.Status)
	case spec.Demands:
		w.Header().Set("Proxy-Authenticate", `Basic realm="Rathaus"`)
		http.Error(w, "proxy authentication required", http.StatusProxyAuthRequired)
	case r.Method == http.MethodConnect:
		p.tunnel(w, r)
	case r.URL.IsAbs():
		rp := &httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}, Transport: &http.Transport{DialContext: p.dial}}
		rp.ServeHTTP(w, r)
	default:
		http.Error(w, "this is a proxy", http.StatusBadRequest)
	}
}

// tunnel forwards bytes in both directions until one side closes.
func (p *forwardProxy) tunnel(w http.ResponseWriter, r *http.Request) {
	far, err := p.dial(r.Context(), "tcp4", r.Host)
	if err != nil {
		http.Error(w, "no connection", http.StatusBadGateway)
		return
	}
	defer func() { _ = far.Close() }()
	w.WriteHeader(http.StatusOK)
	near, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = near.Close() }()
	go func() {
		_, _ = io.Copy(far, buffered)
		_ = far.Close()
	}()
	_, _ = io.Copy(near, far)
}
