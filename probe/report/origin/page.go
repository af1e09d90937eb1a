package origin

import (
	"net/url"
	"strconv"
)

// Page parses the address of a web server. It removes user and query, which may contain the
// secret of a meeting.
func Page(raw string) (*url.URL, bool) {
	u, err := Parse(raw)
	if err != nil {
		return nil, false
	}
	u.User, u.RawQuery, u.Fragment, u.RawFragment, u.ForceQuery = nil, "", "", "", false
	if u.Path == "" {
		u.Path = "/"
	}
	return u, true
}

// Port returns the port of a URL, or the default one of its scheme.
func Port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	switch u.Scheme {
	case "https":
		return "443"
	case "socks5", "socks5h":
		return strconv.Itoa(1080)
	}
	return "80"
}

// PortOf is Port for an address as people write it; "" if it is not an address.
func PortOf(raw string) string {
	u, ok := Page(raw)
	if !ok {
		return ""
	}
	return Port(u)
}
