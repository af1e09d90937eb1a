package wire

import (
	"errors"
	"net/url"
	"strings"
)

// InvitationScheme is the scheme of invitation links.
const InvitationScheme = "tonprobe"

const invitationStart = InvitationScheme + "://enroll?"

// ErrInvitation says that a text is no invitation.
var ErrInvitation = errors.New("not an invitation link")

// Invitation is everything that a computer needs to enrol, in one line:
//
//	tonprobe://enroll?HOST:PORT/CODE
//	tonprobe://enroll?HOST:PORT/CODE/PIN
//
// It holds no character that a shell or a mail program takes apart: an "&"
// between parameters would end the command in every shell.
type Invitation struct {
	// Host is the collector's host, with its port where that is not 443. It is
	// always reached by https.
	Host string
	// Code is the enrolment code, with its dashes.
	Code string
	// AuthorityPin is the pin (see Keys) of the collector's own certificate
	// authority; "" where computers trust its certificate anyway.
	AuthorityPin string
}

// InvitationFor is the invitation to the collector at an origin; ok is false
// where that speaks no TLS.
func InvitationFor(origin, code, authorityPin string) (i Invitation, ok bool) {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return Invitation{}, false
	}
	return Invitation{Host: strings.TrimSuffix(u.Host, ":443"), Code: code, AuthorityPin: authorityPin}, true
}

// String is the link.
func (i Invitation) String() string {
	s := invitationStart + i.Host + "/" + i.Code
	if i.AuthorityPin != "" {
		s += "/" + i.AuthorityPin
	}
	return s
}

// Origin is the collector's address.
func (i Invitation) Origin() string { return "https://" + i.Host }

// IsInvitation reports whether somebody meant s as an invitation link.
func IsInvitation(s string) bool {
	s = bare(s)
	return len(s) > len(InvitationScheme) && strings.EqualFold(s[:len(InvitationScheme)+1], InvitationScheme+":")
}

// ParseInvitation reads a link as it comes out of a mail or a terminal: with
// quotes or brackets around it, wrapped, or with a slash that a browser added.
// The host and the code are for the caller to check.
func ParseInvitation(s string) (Invitation, error) {
	s = bare(s)
	const scheme = InvitationScheme + ":"
	if !IsInvitation(s) || len(s) > 1024 {
		return Invitation{}, ErrInvitation
	}
	rest := strings.TrimLeft(s[len(scheme):], "/")
	command, details, ok := strings.Cut(rest, "?")
	if !ok || !strings.EqualFold(strings.TrimRight(command, "/"), "enroll") {
		return Invitation{}, ErrInvitation
	}
	if unescaped, err := url.PathUnescape(details); err == nil {
		details = unescaped // some mail programs write %2F
	}
	parts := strings.Split(strings.TrimRight(details, "/"), "/")
	if len(parts) < 2 || len(parts) > 3 || parts[0] == "" || parts[1] == "" || strings.ContainsAny(details, "?#@\\") {
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

// bare drops what surrounds a link in a text, and the white space inside it that
// wrapped lines leave behind: none belongs there.
func bare(s string) string {
	s = strings.Join(strings.Fields(s), "")
	return strings.Trim(s, "\"'<>()\u201e\u201c\u201d\u00bb\u00ab.,")
}
