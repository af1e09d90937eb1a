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

// ProxySpec is a proxy that programs have to ask for the web. It stands on the
// gateway, port 3128. What does not ask it is stopped by the filters, which the
// scenario names itself.
type ProxySpec struct {
	// Known says from where programs learn of it: environment (HTTPS_PROXY),
	// desktop (the settings of GNOME), script (those name a script, PAC, which
	// the gateway hands out), or network (the network offers the script, WPAD).
	Known string `toml:"known"`
	// Demands a user name and a password (407, RFC 9110 §15.5.8), which nobody has.
	Demands bool `toml:"demands"`
	// Fails is "", refused (nobody listens there), silent (it takes the connection
	// and says nothing), unresolved (it is set by a name that nobody knows),
	// certificate (it speaks TLS, with a certificate that nobody trusts) or page (a
	// web server answers in its place).
	Fails string `toml:"fails"`
	// Status is its answer to every request for a tunnel; 0 makes one.
	Status int `toml:"status"`
	// Script is what is wrong with the script: "", missing (404), page (HTML), cut
	// (it ends in the middle), loop (it never ends), huge (2 MB), or modern: it is
	// right, and needs today's JavaScript.
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

// address is the proxy as the settings have it.
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

// environment is what the agent finds in its own.
func (s *ProxySpec) environment(gateway netip.Addr) []string {
	if s == nil || s.Known != "environment" {
		return nil
	}
	at := s.address(gateway).String()
	return []string{"HTTPS_PROXY=" + at, "HTTP_PROXY=" + at, "https_proxy=" + at, "http_proxy=" + at}
}

// desktop is what GNOME's program for settings prints; "" where there are none.
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

// Paths of the script: as settings name it, and as a network offers it.
const (
	scriptPath = "/proxy.pac"
	offerPath  = "/wpad.dat"
)

// script is what town halls have: the own names directly, all else by the proxy.
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

// dial opens a connection from a certain host.
type dial func(ctx context.Context, network, address string) (net.Conn, error)

// forwardProxy connects for others (RFC 9110 §9.3.6).
type forwardProxy struct {
	server *http.Server
	at     netip.Addr
	dial   dial
	spec   atomic.Pointer[ProxySpec]
	// clock is what the router's clock differs by from this machine's.
	clock atomic.Int64
}

// listenProxy binds addr in the calling thread's namespace, and port 80 besides,
// where an offered script is looked for.
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

// tunnel carries bytes both ways until one side ends.
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
