package proxy

import (
	"net/url"
	"strings"
)

// Settings are the proxies of a system, as all systems have them.
type Settings struct {
	// HTTP and HTTPS serve addresses of these kinds, SOCKS what has none of its
	// own; nil is none.
	HTTP, HTTPS, SOCKS *url.URL
	// Bypass are the addresses to be reached directly.
	Bypass []string
	// ScriptURL is where the script is that chooses in place of all these.
	ScriptURL string
}

// choose is the way to u.
func (s Settings) choose(u *url.URL) []*url.URL {
	if bypassed(s.Bypass, u) {
		return []*url.URL{nil}
	}
	chosen := s.HTTP
	if u.Scheme == "https" || u.Scheme == "wss" {
		chosen = s.HTTPS
	}
	if chosen == nil {
		chosen = s.SOCKS
	}
	return []*url.URL{chosen}
}

// parseAddress reads a proxy's address as people write them, "host:port" or
// with a scheme; nil when it is none.
func parseAddress(raw, scheme string) *url.URL {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return nil
	}
	if !strings.Contains(raw, "://") {
		raw = scheme + "://" + raw
	}
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" {
		return nil
	}
	return &url.URL{Scheme: strings.ToLower(u.Scheme), Host: u.Host, User: u.User}
}
