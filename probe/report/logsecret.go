package report

import (
	"regexp"
	"strings"
)

// secretText stands in a log in the place of a secret.
const secretText = "(secret)"

// secretNames are the names of values that open something: credentials of ICE (RFC 8839
// §5.4) and TURN, tokens of HTTP, of meetings and of agents, passwords and codes.
const secretNames = `(?:ice[-_ ]?)?(?:ufrag|pwd)|(?:remote|local)(?:ufrag|pwd)|password|passwd|passphrase|credentials?|secret|` +
	`(?:[a-z]+[-_]?)?token|authorization|(?:set-)?cookie|jsessionid|api[-_ ]?key|checksum|enrol?lment[-_ ]?code`

var (
	reSecretKey = regexp.MustCompile(`(?i)^(?:` + secretNames + `)$`)
	// reSecretValue is a name of these with what follows it, quoted or not. The scheme of
	// an Authorization header (RFC 9110 §11.4) belongs to its value.
	reSecretValue = regexp.MustCompile(`(?i)\b(` + secretNames + `)(\\?["']?\s*[:=]\s*)(?:(?:bearer|basic|digest)\s+)?(\\?"[^"\\]*\\?"|[^\s"'&,;)}\]]+)`)
	reScheme      = regexp.MustCompile(`(?i)\b(bearer|basic) [A-Za-z0-9._~+/=-]{8,}`)
	// reCode is an enrolment code: three groups of Crockford's base32.
	reCode = regexp.MustCompile(`(?i)\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}\b`)
	// reInvitation is the link that holds one.
	reInvitation = regexp.MustCompile(`(?i)\btonprobe://\S+`)
	// reToken is a long random text: tokens and keys have 128 bits and more.
	reToken = regexp.MustCompile(`[A-Za-z0-9_-]{40,}`)
	// reJWT is a token in its own form (RFC 7519).
	reJWT = regexp.MustCompile(`\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?`)
)

// cutSecrets takes secrets out of a text. It may take out more than it must.
func cutSecrets(s string) string {
	if len(s) < 4 {
		return s
	}
	s = reInvitation.ReplaceAllLiteralString(s, "tonprobe://"+secretText)
	s = reJWT.ReplaceAllLiteralString(s, secretText)
	s = reSecretValue.ReplaceAllString(s, "${1}${2}"+secretText)
	s = reScheme.ReplaceAllString(s, "${1} "+secretText)
	s = reCode.ReplaceAllStringFunc(s, func(code string) string {
		// A part of a UUID has the form as well, in lower case.
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
