// Package origin reads the addresses of web servers as people write them. The
// agent's targets, the agent's collector and the collector's own public address
// all go through Parse, so that one name has one spelling everywhere: in a look-up,
// in a certificate, in a comparison and in a report.
package origin

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// Fault is what is wrong with an address. The words for a person are made from it,
// in their language.
type Fault string

// The faults of an address.
const (
	FaultForm   Fault = "form"   // not an address at all
	FaultScheme Fault = "scheme" // neither https nor anything of that kind
	FaultHost   Fault = "host"   // no server can have this name
	FaultPort   Fault = "port"   // not a number from 1 to 65535
	// FaultPlain is an unencrypted address of another computer; see ParseSecure.
	FaultPlain Fault = "plain"
	// FaultTooMuch is for callers that have no use for a user, a query or a fragment.
	FaultTooMuch Fault = "too_much"
)

// Faults are all of them.
func Faults() []Fault {
	return []Fault{FaultForm, FaultScheme, FaultHost, FaultPort, FaultPlain, FaultTooMuch}
}

// Error is an address that cannot be used.
type Error struct {
	// Address is what was given, without user, path and query: a path often is
	// the secret of a meeting, and errors are logged.
	Address string
	Fault   Fault
}

func (e *Error) Error() string {
	return fmt.Sprintf("address %q: %s", e.Address, e.Fault.advice())
}

func (f Fault) advice() string {
	switch f {
	case FaultScheme:
		return "it must begin with https://"
	case FaultHost:
		return "no server can have this name"
	case FaultPort:
		return "the port must be a number from 1 to 65535"
	case FaultPlain:
		return "it must begin with https://, http is allowed only to this computer itself"
	case FaultTooMuch:
		return "it must not hold a user name, a query or a fragment"
	}
	return "want one such as https://server.example.org"
}

// Parse returns the URL that raw means. Its scheme is http or https, its host is
// lower case, ASCII (IDNA 2008, UTS #46) and without a final dot, and its port is
// left out where it is the scheme's own. User, path, query and fragment are as
// given. The name of a host alone is taken for https, a WebSocket address for that of its HTTP
// server. The error is an [*Error].
func Parse(raw string) (*url.URL, error) {
	text := clean(raw)
	fault := func(f Fault) error { return &Error{Address: redacted(text), Fault: f} }
	scheme, rest, named := strings.Cut(text, "://")
	switch {
	case !named:
		scheme, rest = "https", strings.TrimPrefix(text, "//")
		if a, err := netip.ParseAddr(rest); err == nil && a.Is6() {
			rest = "[" + strings.Replace(rest, "%", "%25", 1) + "]" // RFC 6874 §2
		}
		if !isBareHost(authority(rest)) {
			return nil, fault(FaultForm)
		}
	case strings.ContainsAny(scheme, "/?#"), scheme == "":
		return nil, fault(FaultForm)
	}
	switch scheme = strings.ToLower(scheme); scheme {
	case "wss":
		scheme = "https"
	case "ws":
		scheme = "http"
	case "http", "https":
	default:
		return nil, fault(FaultScheme)
	}
	u, err := url.Parse(scheme + "://" + rest)
	if err != nil || u.Hostname() == "" {
		if hasBadPort(authority(rest)) {
			return nil, fault(FaultPort)
		}
		return nil, fault(FaultForm)
	}
	host, ok := asciiHost(u.Hostname())
	if !ok {
		return nil, fault(FaultHost)
	}
	port, ok := normalPort(u.Port(), scheme)
	if !ok {
		return nil, fault(FaultPort)
	}
	u.Host = join(host, port)
	return u, nil
}

// ParseSecure is Parse for what must not be read on the way: it refuses http, but
// to this computer itself.
func ParseSecure(raw string) (*url.URL, error) {
	u, err := Parse(raw)
	if err != nil {
		return nil, err
	}
	if u.Scheme == "http" && !IsLoopback(u) {
		return nil, &Error{Address: Of(u), Fault: FaultPlain}
	}
	return u, nil
}

// Of is scheme, host and port of u (RFC 6454 §4), which is what a report may
// hold. The zone of an address names an interface of this computer and is left out.
func Of(u *url.URL) string {
	host, _, _ := strings.Cut(u.Hostname(), "%")
	return u.Scheme + "://" + join(host, u.Port())
}

// IsLoopback reports whether u leads to this computer itself, where nobody can read
// an unencrypted connection (W3C Secure Contexts §3.1).
func IsLoopback(u *url.URL) bool {
	a, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && a.IsLoopback()
}

// clean removes what surrounds an address that was copied from a text: white
// space, invisible characters, angle brackets and quotation marks (RFC 3986
// Appendix C). Browsers read a backslash as a slash (WHATWG URL §4.4).
func clean(raw string) string {
	text := strings.TrimFunc(raw, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune("<>\"'„“”‚‘’«»", r)
	})
	end := strings.IndexAny(text, "?#")
	if end < 0 {
		end = len(text)
	}
	return strings.ReplaceAll(text[:end], `\`, "/") + text[end:]
}

// authority is the part of an address without its scheme that names the server.
func authority(rest string) string {
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		return rest[:i]
	}
	return rest
}

// isBareHost reports whether text without a scheme is meant as a server. A single word
// is rather a mistake, or the name of something else; one with an @ is a mail address.
func isBareHost(authority string) bool {
	word := !strings.ContainsAny(authority, ".:\u3002\uff0e\uff61") // the dots of UTS #46
	return !strings.Contains(authority, "@") && (!word || strings.EqualFold(authority, "localhost"))
}

// redacted is an address as far as its server goes.
func redacted(text string) string {
	prefix, rest, ok := strings.Cut(text, "://")
	if !ok {
		prefix, rest = "", text
	} else {
		prefix += "://"
	}
	server := authority(rest)
	return prefix + server[strings.LastIndex(server, "@")+1:]
}

// asciiHost is a host as it is looked up. Names that are ASCII are not held
// against IDNA: its rules forbid underscores and hyphens in places where real
// servers have them.
func asciiHost(host string) (string, bool) {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().String(), !strings.ContainsFunc(a.Zone(), notInZone)
	}
	if !isASCII(host) {
		mapped, err := idna.Lookup.ToASCII(host)
		if err != nil {
			return "", false
		}
		host = mapped
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().String(), true // written in full-width digits
	}
	return host, isName(host)
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

// isName reports whether a host can be looked up (RFC 1035 §2.3.4). One whose last
// label is a number is an IPv4 address to browsers (WHATWG URL §3.5), here a broken one.
func isName(host string) bool {
	const longestName, longestLabel = 253, 63
	labels := strings.Split(host, ".")
	for _, l := range labels {
		if l == "" || len(l) > longestLabel || strings.HasPrefix(l, "-") || strings.HasSuffix(l, "-") || strings.ContainsFunc(l, notInName) {
			return false
		}
	}
	_, err := strconv.ParseUint(labels[len(labels)-1], 10, 64)
	return err != nil && len(host) <= longestName
}

func notInName(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_')
}

// notInZone reports whether the name of an interface cannot hold r (RFC 6874 §2).
func notInZone(r rune) bool { return r != '.' && !(r >= 'A' && r <= 'Z') && notInName(r) }

// normalPort is a port as a URL writes it: "" where it is the scheme's own.
func normalPort(port, scheme string) (string, bool) {
	if port == "" {
		return "", true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", false
	}
	if scheme == "https" && n == 443 || scheme == "http" && n == 80 {
		return "", true
	}
	return strconv.FormatUint(n, 10), true
}

// hasBadPort reports whether what follows the last colon of an authority is no port.
func hasBadPort(authority string) bool {
	i := strings.LastIndexByte(authority, ':')
	if i <= 0 || strings.HasSuffix(authority, "]") || strings.Count(authority, ":") > 1 && !strings.Contains(authority, "]") {
		return false
	}
	_, ok := normalPort(authority[i+1:], "")
	return !ok
}

// join writes host and port as [url.URL] keeps them; String escapes a zone.
func join(host, port string) string {
	if port != "" {
		return net.JoinHostPort(host, port)
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}
