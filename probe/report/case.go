package report

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// crockford is Douglas Crockford's base32 alphabet: no I, L, O, U, so that a
// code read out on the phone cannot be misheard as a digit.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// maxCaseInput bounds what NormalizeCase looks at, in bytes.
const maxCaseInput = 64

// NewCase draws a case code such as K7P-3QX: 30 random bits. Two open cases of
// one collector can share a code, though it is rare: with 1,000 open cases a
// new one meets an old one once in a million. A search for a code therefore
// has to expect more than one hit; the report's ID is what is unique.
func NewCase(random io.Reader) (string, error) {
	var b [6]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("draw a case code: %w", err)
	}
	for i := range b {
		b[i] = crockford[b[i]&31] // 256 is a multiple of 32: no letter is favoured
	}
	return dashed(b[:]), nil
}

// NormalizeCase reads a code as people type it: any case, with any dashes,
// dots and spaces, I and L for 1, O for 0. ok is false when it is no code.
func NormalizeCase(s string) (code string, ok bool) {
	b, ok := caseSymbols(s)
	if !ok || len(b) != 6 {
		return "", false
	}
	return dashed(b), true
}

// CasePart reads a part of a code as people type it, at least three symbols
// long; without the dash.
func CasePart(s string) (part string, ok bool) {
	b, ok := caseSymbols(s)
	return string(b), ok && len(b) >= 3
}

// caseSymbols reads up to six symbols; ok is false where there is anything else.
func caseSymbols(s string) (b []byte, ok bool) {
	if len(s) > maxCaseInput {
		return nil, false
	}
	for _, r := range s {
		c, skip := caseSymbol(r)
		switch {
		case skip:
		case c == 0 || len(b) == 6:
			return nil, false
		default:
			b = append(b, c)
		}
	}
	return b, true
}

// caseSymbol reads one typed character. c is 0 when it belongs to no code.
func caseSymbol(r rune) (c byte, skip bool) {
	if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '.' || r == '_' || r == '/' {
		return 0, true
	}
	if r > unicode.MaxASCII {
		return 0, false // before any folding: U+017F "ſ" would turn into S
	}
	switch r = unicode.ToUpper(r); r {
	case 'I', 'L':
		r = '1'
	case 'O':
		r = '0'
	}
	if strings.ContainsRune(crockford, r) {
		return byte(r), false
	}
	return 0, false
}

func dashed(b []byte) string { return string(b[:3]) + "-" + string(b[3:]) }
