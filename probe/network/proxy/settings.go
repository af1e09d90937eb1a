package proxy

import (
	"net/url"
	"strings"
)

// Settings are the proxy settings common to all systems.
type Settings struct {
	// HTTP and HTTPS are the proxies for these schemes, SOCKS the one for schemes
	// without their own; nil means none.
	HTTP, HTTPS, SOCKS *url.URL
	// Bypass contains patterns of addresses to connect to directly.
	Bypass []string
	// ScriptURL is the address of the script that replaces all of these.
	ScriptURL string
}

// choose returns the proxy for u.
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

// parseAddress parses a proxy's address as people write it, "host:port" or with a
// scheme; nil if it is invalid.
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
