package bench

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"slices"
	"strconv"
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
}

func (s *ProxySpec) validate() error {
	if s.Known == "" {
		s.Known = "environment"
	}
	if !slices.Contains([]string{"environment", "desktop", "script", "network"}, s.Known) {
		return fmt.Errorf("known = %q: want environment, desktop, script or network", s.Known)
	}
	return nil
}

// environment is what the agent finds in its own.
func (s *ProxySpec) environment(gateway netip.Addr) []string {
	if s == nil || s.Known != "environment" {
		return nil
	}
	url := "http://" + netip.AddrPortFrom(gateway, proxyPort).String()
	return []string{"HTTPS_PROXY=" + url, "HTTP_PROXY=" + url, "https_proxy=" + url, "http_proxy=" + url}
}

// desktop is what GNOME's program for settings prints; "" where there are none.
func (s *ProxySpec) desktop(gateway netip.Addr) string {
	switch {
	case s != nil && s.Known == "desktop":
		host, port := "'"+gateway.String()+"'", strconv.Itoa(proxyPort)
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
func script(gateway netip.Addr) string {
	return `function FindProxyForURL(url, host) {
	if (isPlainHostName(host) || shExpMatch(host, "*.rathaus.example")) return "DIRECT";
	return "PROXY ` + netip.AddrPortFrom(gateway, proxyPort).String() + `";
}
`
}

// dial opens a connection from a certain host.
type dial func(ctx context.Context, network, address string) (net.Conn, error)

// forwardProxy connects for others (RFC 9110 §9.3.6).
type forwardProxy struct {
	server  *http.Server
	at      netip.Addr
	dial    dial
	demands atomic.Bool
}

// listenProxy binds addr in the calling thread's namespace, and port 80 besides,
// where an offered script is looked for.
func listenProxy(addr netip.Addr, from dial) (serve func(), p *forwardProxy, err error) {
	p = &forwardProxy{at: addr, dial: from}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 5 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	var listeners []net.Listener
	for _, port := range []uint16{proxyPort, 80} {
		l, err := net.Listen("tcp4", netip.AddrPortFrom(addr, port).String())
		if err != nil {
			return nil, p, fmt.Errorf("open the proxy: %w", err)
		}
		listeners = append(listeners, l)
	}
	return func() {
		for _, l := range listeners {
			go func() { _ = p.server.Serve(l) }()
		}
	}, p, nil
}

func (p *forwardProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case (r.URL.Path == scriptPath || r.URL.Path == offerPath) && !r.URL.IsAbs():
		w.Header().Set("Content-Type", "application/x-ns-proxy-autoconfig")
		_, _ = io.WriteString(w, script(p.at))
	case p.demands.Load():
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
