package report

import (
	"regexp"
	"strings"
)

// secretText replaces a secret in a log.
const secretText = "(secret)"

// secretNames matches the names of values that give access: credentials of ICE (RFC
// 8839 §5.4) and TURN, tokens of HTTP, meetings and agents, passwords and codes.
const secretNames = `(?:ice[-_ ]?)?(?:ufrag|pwd)|(?:remote|local)(?:ufrag|pwd)|password|passwd|passphrase|credentials?|secret|` +
	`(?:[a-z]+[-_]?)?token|authorization|(?:set-)?cookie|jsessionid|api[-_ ]?key|checksum|enrol?lment[-_ ]?code`

var (
	reSecretKey = regexp.MustCompile(`(?i)^(?:` + secretNames + `)$`)
	// reSecretValue matches such a name and its value, quoted or not. The scheme of an
	// Authorization header (RFC 9110 §11.4) is part of the value.
	reSecretValue = regexp.MustCompile(`(?i)\b(` + secretNames + `)(\\?["']?\s*[:=]\s*)(?:(?:bearer|basic|digest)\s+)?(\\?"[^"\\]*\\?"|[^\s"'&,;)}\]]+)`)
	reScheme      = regexp.MustCompile(`(?i)\b(bearer|basic) [A-Za-z0-9._~+/=-]{8,}`)
	// reCode matches an enrolment code: three groups of Crockford's base32.
	reCode = regexp.MustCompile(`(?i)\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}\b`)
	// reInvitation matches a link that contains one.
	reInvitation = regexp.MustCompile(`(?i)\btonprobe://\S+`)
	// reToken matches a long random text: tokens and keys have at least 128 bits.
	reToken = regexp.MustCompile(`[A-Za-z0-9_-]{40,}`)
	// reJWT matches a JSON Web Token (RFC 7519).
	reJWT = regexp.MustCompile(`\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?`)
)

// cutSecrets removes secrets from a text. It may remove more than necessary.
func cutSecrets(s string) string {
	if len(s) < 4 {
		return s
	}
	s = reInvitation.ReplaceAllLiteralString(s, "tonprobe://"+secretText)
	s = reJWT.ReplaceAllLiteralString(s, secretText)
	s = reSecretValue.ReplaceAllString(s, "${1}${2}"+secretText)
	s = reScheme.ReplaceAllString(s, "${1} "+secretText)
	s = reCode.ReplaceAllStringFunc(s, func(code string) string {
		// A part of a lower-case UUID matches as well.
		if strings.ToUpper(code) != code && strings.ToLower(code) == code {
			return code
		}
		return secretText
	})
	return reToken.ReplaceAllStringFunc(s, func(token string) string {
		if !strings.ContainsAny(token, "0123456789") {
			return token // words joined by underscores
		}
		return secretText
	})
}
