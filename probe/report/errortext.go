package report

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"unicode"
)

// Maximum lengths of a cleaned text in bytes: of the input, so that a hostile message
// costs no time, and of the output.
const (
	maxRawText   = 4 << 10
	maxErrorText = 300
)

// What a text must not contain. Removing too much does no harm: the complete text is in
// the agent's own log.
var (
	reURL     = regexp.MustCompile(`(?i)\b[a-z][a-z0-9+.-]*://[^\s"'<>]+`)
	reMail    = regexp.MustCompile(`[^\s"'<>@]+@[^\s"'<>@]+`)
	reDrive   = regexp.MustCompile(`(?:\b[A-Za-z]:[\\/]|\\\\)[^"':<>|\n]*`)                  // up to the next colon: these paths contain spaces
	reHome    = regexp.MustCompile(`(?:~|/(?:home|Users|root|var/home|run/user))/[^"':\n]*`) // as above
	rePath    = regexp.MustCompile(`(?:[/\\][^\s:"'/\\]+){2,}[/\\]?`)
	reMAC     = regexp.MustCompile(`\b[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}\b`)
	reAddress = regexp.MustCompile(`\[?[0-9A-Fa-f:.]*[0-9A-Fa-f]*[:.][0-9A-Fa-f:.]+(?:%[\w.-]+)?\]?(?::\d+)?`)
	reHost    = regexp.MustCompile(`[\p{L}\p{N}](?:[\p{L}\p{N}_-]*[\p{L}\p{N}])?(?:\.[\p{L}\p{N}_-]+)*\.(?:xn--[a-z0-9-]+|\p{L}{2,})(?::\d+)?`)
)

// ErrorText returns the text of err in a form for Result.Error: one line of at most 300
// bytes, without addresses, host names, URLs and file paths. Names in typed errors of
// the standard library are removed wherever they occur, so that a host name without a
// dot is removed as well.
func ErrorText(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	for _, secret := range secretsOf(err) {
		text = strings.ReplaceAll(text, secret.value, secret.kind)
	}
	return CleanText(text)
}

type secret struct{ value, kind string }

// secretsOf returns the names inside the typed errors of err's tree.
func secretsOf(err error) (found []secret) {
	add := func(value, kind string) {
		if len(value) > 1 { // a single letter would be cut out of every word
			found = append(found, secret{value, kind})
		}
	}
	switch e := err.(type) {
	case *url.Error:
		add(e.URL, "(address)")
	case *net.DNSError:
		add(e.Name, "(host)")
		add(e.Server, "(address)")
	case *net.OpError:
		for _, a := range []net.Addr{e.Source, e.Addr} {
			if a != nil {
				add(a.String(), "(address)")
			}
		}
	case *net.AddrError:
		add(e.Addr, "(address)")
	case *fs.PathError:
		add(e.Path, "(path)")
	case *os.LinkError:
		add(e.Old, "(path)")
		add(e.New, "(path)")
	case *exec.Error:
		add(e.Name, "(path)")
	}
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			found = append(found, secretsOf(inner)...)
		}
	default:
		if inner := errors.Unwrap(err); inner != nil {
			found = append(found, secretsOf(inner)...)
		}
	}
	return found
}

// CleanText is ErrorText for a string.
func CleanText(s string) string {
	s = oneLine(cutText(s, maxRawText))
	s = reURL.ReplaceAllString(s, "(address)")
	s = reMail.ReplaceAllString(s, "(address)")
	s = reDrive.ReplaceAllString(s, "(path)")
	s = reHome.ReplaceAllString(s, "(path)")
	s = rePath.ReplaceAllString(s, "(path)")
	s = reMAC.ReplaceAllString(s, "(address)")
	s = reAddress.ReplaceAllStringFunc(s, withoutAddress)
	s = reHost.ReplaceAllString(s, "(host)")
	return strings.TrimSpace(cutText(s, maxErrorText))
}

// oneLine replaces everything that could hide or reorder text on a screen by a space:
// control characters, line breaks, and format characters such as the bidirectional
// overrides.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if isHidden(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// isOneLine reports whether oneLine leaves s as it is.
func isOneLine(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return oneLine(s) == s
		}
	}
	return true // printable ASCII, as nearly every text of a report
}

// isHidden reports whether r is invisible on a screen.
func isHidden(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp)
}

// cutText truncates s to at most limit bytes, at the end of a character.
func cutText(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "")
}

// withoutAddress replaces s if it is an address. Punctuation that follows it is kept.
func withoutAddress(s string) string {
	bare := strings.TrimRight(s, ":.")
	switch {
	case isAddress(s):
		return "(address)"
	case isAddress(bare):
		return "(address)" + s[len(bare):]
	}
	return s
}

func isAddress(s string) bool {
	if _, err := netip.ParseAddrPort(s); err == nil {
		return true
	}
	_, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return err == nil
}
