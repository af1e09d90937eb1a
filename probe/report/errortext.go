package report

import (
	"net"
	"regexp"
	"strings"
	"unicode"
)

// maxErrorText is the longest Result.Error in bytes.
const maxErrorText = 300

var (
	reURL  = regexp.MustCompile(`[a-z][a-z0-9+.-]*://[^\s"']+`)
	rePath = regexp.MustCompile(`(?:[A-Za-z]:)?(?:[/\\][^\s:"'/\\]+){2,}[/\\]?|/(?:home|root|Users)\S*`)
	reHost = regexp.MustCompile(`\b[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}(?::\d+)?\b`)
	reAddr = regexp.MustCompile(`\[?[0-9A-Fa-f:.]*[0-9A-Fa-f]*[:.][0-9A-Fa-f:.]+\]?(?::\d+)?`)
)

// ErrorText is err's text with addresses, host names, URLs and file paths
// taken out and its length bounded, fit for Result.Error.
func ErrorText(err error) string {
	if err == nil {
		return ""
	}
	return CleanText(err.Error())
}

// CleanText is ErrorText for a string.
func CleanText(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = reURL.ReplaceAllString(s, "(address)")
	s = rePath.ReplaceAllString(s, "(path)")
	s = reHost.ReplaceAllString(s, "(host)")
	s = reAddr.ReplaceAllStringFunc(s, func(m string) string {
		if looksLikeAddress(m) {
			return "(address)"
		}
		return m
	})
	if len(s) > maxErrorText {
		s = strings.ToValidUTF8(s[:maxErrorText], "")
	}
	return strings.TrimSpace(s)
}

func looksLikeAddress(s string) bool {
	if h, _, err := net.SplitHostPort(s); err == nil {
		s = h
	}
	return net.ParseIP(strings.Trim(s, "[]")) != nil
}
