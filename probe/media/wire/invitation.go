package wire

import (
	"errors"
	"net/url"
	"strings"
	"unicode"
)

// InvitationScheme is the scheme of invitation links.
const InvitationScheme = "tonprobe"

const invitationStart = InvitationScheme + "://enroll?"

// InvitationPath is the page of the collector that a person without Tonprobe opens. It explains the steps and opens
// the invitation where the program is installed.
const InvitationPath = "/setup"

// CheckPath is the page of the collector on which a person checks in the browser, without a program. The code of an
// invitation is in its fragment, as in that of InvitationPath.
const CheckPath = "/check"

// ErrInvitation means that a text is not an invitation.
var ErrInvitation = errors.New("not an invitation link")

// Invitation contains everything that a computer needs to enrol, in one line:
//
//	tonprobe://enroll?HOST:PORT/CODE
//	tonprobe://enroll?HOST:PORT/CODE/PIN
//
// or, as the address of a page (see InvitationPath), with the code in the fragment, which browsers do not send:
//
//	https://HOST:PORT/setup#CODE/PIN
//
// It contains no character that is special in shells or mail programs, such as "&", which would end the command.
type Invitation struct {
	// Host is the collector's host, with its port if that is not 443. The scheme is https.
	Host string
	// Code is the enrolment code, with its dashes.
	Code string
	// AuthorityPin is the pin (see Keys) of the collector's own certificate authority; "" if computers trust its
	// certificate anyway.
	AuthorityPin string
}

// InvitationFor returns the invitation to the collector at an origin; ok is false if that does not use TLS.
func InvitationFor(origin, code, authorityPin string) (i Invitation, ok bool) {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return Invitation{}, false
	}
	return Invitation{Host: strings.TrimSuffix(u.Host, ":443"), Code: code, AuthorityPin: authorityPin}, true
}

// String returns the link.
func (i Invitation) String() string {
	s := invitationStart + i.Host + "/" + i.Code
	if i.AuthorityPin != "" {
		s += "/" + i.AuthorityPin
	}
	return s
}

// Page returns the link as the address of a page.
func (i Invitation) Page() string {
	s := i.Origin() + InvitationPath + "#" + i.Code
	if i.AuthorityPin != "" {
		s += "/" + i.AuthorityPin
	}
	return s
}

// Origin returns the collector's address.
func (i Invitation) Origin() string { return "https://" + i.Host }

// IsInvitation reports whether s looks like an invitation link.
func IsInvitation(s string) bool {
	s = bare(s)
	if len(s) > len(InvitationScheme) && strings.EqualFold(s[:len(InvitationScheme)+1], InvitationScheme+":") {
		return true
	}
	_, _, ok := cutPage(s)
	return ok
}

// cutPage splits the address of a page into its host and the details of the invitation.
func cutPage(s string) (host, details string, ok bool) {
	const scheme = "https://"
	if len(s) < len(scheme) || !strings.EqualFold(s[:len(scheme)], scheme) {
		return "", "", false
	}
	address, details, ok := strings.Cut(s[len(scheme):], "#")
	if !ok {
		return "", "", false
	}
	host, path, ok := strings.Cut(strings.TrimRight(address, "/"), "/")
	return host, details, ok && "/"+path == InvitationPath
}

// ParseInvitation parses a link as copied from a mail or a terminal: with surrounding quotes or brackets, wrapped, or
// with a slash that a browser added. The caller validates host and code.
func ParseInvitation(s string) (Invitation, error) {
	s = bare(s)
	const scheme = InvitationScheme + ":"
	if !IsInvitation(s) || len(s) > 1024 {
		return Invitation{}, ErrInvitation
	}
	host, details, isPage := cutPage(s)
	if isPage {
		details = host + "/" + details
	} else {
		command, rest, ok := strings.Cut(strings.TrimLeft(s[len(scheme):], "/"), "?")
		if !ok || !strings.EqualFold(strings.TrimRight(command, "/"), "enroll") {
			return Invitation{}, ErrInvitation
		}
		details = rest
	}
	if unescaped, err := url.PathUnescape(details); err == nil {
		details = unescaped // some mail programs write %2F
	}
	parts := strings.Split(strings.TrimRight(details, "/"), "/")
	if len(parts) < 2 || len(parts) > 3 || parts[0] == "" || parts[1] == "" || strings.ContainsFunc(details, notInDetails) {
		return Invitation{}, ErrInvitation
	}
	i := Invitation{Host: strings.ToLower(parts[0]), Code: parts[1]}
	if len(parts) == 3 {
		if notAPin(parts[2]) {
			return Invitation{}, ErrInvitation
		}
		i.AuthorityPin = parts[2]
	}
	return i, nil
}

// notInDetails reports characters that neither a host nor a code contains. Escapes may have hidden them.
func notInDetails(r rune) bool {
	return strings.ContainsRune("?#@\\\"'<>", r) || !unicode.IsGraphic(r) || unicode.IsSpace(r)
}

// bare removes what surrounds a link in a text, and white space from line wraps.
func bare(s string) string {
	s = strings.Join(strings.Fields(s), "")
	return strings.Trim(s, "\"'<>()\u201e\u201c\u201d\u00bb\u00ab.,")
}
