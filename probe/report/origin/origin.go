// Package origin parses the addresses of web servers as people write them. The agent's
// targets, the agent's collector and the collector's own public address all go through
// Parse, so that one name has one spelling everywhere: in a lookup, a certificate, a
// comparison and a report.
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

// Fault is what is wrong with an address. Programs show a text in the person's language
// for it.
type Fault string

// The faults of an address.
const (
	FaultForm   Fault = "form"   // not an address at all
	FaultScheme Fault = "scheme" // a scheme other than http, https, ws and wss
	FaultHost   Fault = "host"   // not a valid name of a server
	FaultPort   Fault = "port"   // not a number from 1 to 65535
	// FaultPlain is an unencrypted address of another computer; see ParseSecure.
	FaultPlain Fault = "plain"
	// FaultTooMuch is for callers that do not accept a user, a query or a fragment.
	FaultTooMuch Fault = "too_much"
)

// Faults returns all faults.
func Faults() []Fault {
	return []Fault{FaultForm, FaultScheme, FaultHost, FaultPort, FaultPlain, FaultTooMuch}
}

// Error describes an invalid address.
type Error struct {
	// Address is the input without user, path and query: a path is often the secret of
	// a meeting, and errors are logged.
	Address string
	Fault   Fault
}

func (e *Error) Error() string {
	return fmt.Sprintf("address %q: %s", Display(e.Address), e.Fault.advice())
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

// Parse returns the URL that raw denotes. Its scheme is http or https, its host is lower case,
// ASCII (IDNA 2008, UTS #46) and without a final dot, and its port is omitted if it is the
// default of the scheme. User, path, query and fragment remain. A host name alone means https,
// and a WebSocket address the corresponding HTTP one. The error is an [*Error].
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

// ParseSecure is Parse for connections that must be confidential: it rejects http,
// except to this computer itself.
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

// Of returns the scheme, host and port of u (RFC 6454 §4), which a report may contain.
// The zone of an address names an interface of this computer and is omitted.
func Of(u *url.URL) string {
	host, _, _ := strings.Cut(u.Hostname(), "%")
	return u.Scheme + "://" + join(host, u.Port())
}

// IsLoopback reports whether u refers to this computer itself, so that nobody can read
// an unencrypted connection (W3C Secure Contexts §3.1).
func IsLoopback(u *url.URL) bool {
	a, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && a.IsLoopback()
}

// clean removes what surrounds an address that was copied from a text: white
// space, invisible characters, brackets, quotation marks and the punctuation of a sentence
// (RFC 3986 Appendix C). Browsers read a backslash as a slash (WHATWG URL §4.4).
func clean(raw string) string {
	text := strings.TrimFunc(raw, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune("<>\"'„“”‚‘’«»(),;", r)
	})
	if i := strings.Index(text, "https://"); i > 0 && unicode.IsSpace(rune(text[i-1])) {
		text = text[i:] // after other words
	}
	// Mail programs break long lines; browsers remove such breaks too (WHATWG URL §4.4). In
	// the name of a server, what follows may be another line of the mail.
	start := 0
	if i := strings.Index(text, "://"); i >= 0 {
		start = i + len("://")
	}
	if i := strings.IndexAny(text[start:], "/?#"); i >= 0 {
		text = text[:start+i] + strings.NewReplacer("\r", "", "\n", "", "\t", "").Replace(text[start+i:])
	}
	if len(text) > 4 && strings.EqualFold(text[:4], "url:") { // RFC 3986 Appendix C
		text = text[4:]
	}
	end := strings.IndexAny(text, "?#")
	if end < 0 {
		end = len(text)
	}
	return strings.ReplaceAll(text[:end], `\`, "/") + text[end:]
}

// authority returns the part of an address without a scheme that names the server.
func authority(rest string) string {
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		return rest[:i]
	}
	return rest
}

// isBareHost reports whether text without a scheme denotes a server. A single word is
// more likely a mistake, or the name of something else; one with an @ is a mail
// address.
func isBareHost(authority string) bool {
	word := !strings.ContainsAny(authority, ".:\u3002\uff0e\uff61") // the dots of UTS #46
	return !strings.Contains(authority, "@") && (!word || strings.EqualFold(authority, "localhost"))
}

// redacted returns an address up to its server.
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

// asciiHost returns the form of a host that is looked up. Names in ASCII are not
// checked by IDNA, whose rules forbid underscores and hyphens in places where real
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
		return a.Unmap().String(), true // in full-width digits
	}
	return host, isName(host)
}

// Display returns a host or an origin as a person reads it: names are in Unicode if the
// lookup profile of IDNA accepts them and all their letters are Latin, because those of
// other alphabets may look the same (Unicode UTS #39 §4). Data, comparisons and lookups use
// the ASCII form.
func Display(address string) string {
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		scheme, rest = "", address
	} else {
		scheme += "://"
	}
	end := strings.IndexAny(rest, ":/?#")
	if end < 0 {
		end = len(rest)
	}
	host := rest[:end]
	if !strings.Contains(strings.ToLower(host), "xn--") {
		return address
	}
	shown, err := idna.Lookup.ToUnicode(host)
	if err != nil || strings.ContainsFunc(shown, func(r rune) bool { return r > unicode.MaxASCII && !unicode.Is(unicode.Latin, r) }) {
		return address
	}
	if back, err := idna.Lookup.ToASCII(shown); err != nil || !strings.EqualFold(back, host) {
		return address
	}
	return scheme + shown + rest[end:]
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

// isName reports whether a host can be looked up (RFC 1035 §2.3.4). If the last label is
// a number, browsers parse the host as an IPv4 address (WHATWG URL §3.5), which would be
// invalid here.
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

// notInZone reports whether r cannot be part of the name of an interface (RFC 6874 §2).
func notInZone(r rune) bool { return r != '.' && !(r >= 'A' && r <= 'Z') && notInName(r) }

// normalPort returns the port for a URL: "" for the default of the scheme.
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

// hasBadPort reports whether the last colon of an authority is followed by an invalid
// port.
func hasBadPort(authority string) bool {
	i := strings.LastIndexByte(authority, ':')
	if i <= 0 || strings.HasSuffix(authority, "]") || strings.Count(authority, ":") > 1 && !strings.Contains(authority, "]") {
		return false
	}
	_, ok := normalPort(authority[i+1:], "")
	return !ok
}

// join formats host and port for [url.URL], whose String escapes a zone.
func join(host, port string) string {
	if port != "" {
		return net.JoinHostPort(host, port)
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}
