package proxy

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// bypassed reports whether one of the patterns matches u. It supports the forms of
// all systems, which do not contradict each other:
//
//	<local>           a name without a dot (Windows)
//	10.0.0.0/8        a network (GNOME, macOS)
//	169.254/16        a network without trailing zeros (macOS)
//	*.example.org     a pattern (Windows, macOS, GNOME)
//	.example.org      all names below (GNOME)
//	host:8080         one port only (GNOME, Windows)
//	https://host      one scheme only (Windows)
func bypassed(patterns []string, u *url.URL) bool {
	for _, p := range patterns {
		if bypasses(strings.ToLower(strings.TrimSpace(p)), u) {
			return true
		}
	}
	return false
}

func bypasses(pattern string, u *url.URL) bool {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if pattern == "<local>" {
		return !strings.ContainsAny(host, ".:")
	}
	if scheme, rest, ok := strings.Cut(pattern, "://"); ok {
		if scheme != u.Scheme {
			return false
		}
		pattern = rest
	}
	if network, ok := parseNetwork(pattern); ok {
		addr, err := netip.ParseAddr(host)
		return err == nil && network.Contains(addr.Unmap())
	}
	if h, port, err := net.SplitHostPort(pattern); err == nil {
		if port != portOf(u) {
			return false
		}
		pattern = h
	}
	pattern = strings.Trim(pattern, "[]")
	switch {
	case pattern == "":
		return false
	case strings.Contains(pattern, "*"):
		return matches(pattern, host)
	case strings.HasPrefix(pattern, "."):
		return strings.HasSuffix(host, pattern)
	}
	return host == pattern
}

// parseNetwork parses a network, and adds the trailing zeros that macOS omits.
func parseNetwork(s string) (netip.Prefix, bool) {
	addr, bits, ok := strings.Cut(s, "/")
	if !ok {
		return netip.Prefix{}, false
	}
	for strings.Count(addr, ".") < 3 && !strings.Contains(addr, ":") {
		addr += ".0"
	}
	a, err := netip.ParseAddr(addr)
	n, err2 := strconv.Atoi(bits)
	if err != nil || err2 != nil {
		return netip.Prefix{}, false
	}
	p, err := a.Prefix(n)
	return p, err == nil
}

// matches reports whether s matches a pattern in which * stands for any text and ?
// for any character. The running time is at most proportional to the product of
// their lengths.
func matches(pattern, s string) bool {
	p, at := 0, 0
	star, back := -1, 0 // position of the last *, and the end of the text that it matched
	for at < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, back = p, at
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[at]):
			p++
			at++
		case star >= 0:
			back++
			p, at = star+1, back
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" || u.Scheme == "wss" {
		return "443"
	}
	return "80"
}
