package report

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// crockford is Douglas Crockford's base32 alphabet. It lacks I, L and O, which can be
// mistaken for the digits 1 and 0, and U.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// maxCaseInput limits the input of NormalizeCase in bytes.
const maxCaseInput = 64

// NewCase returns a random case code such as K7P-3QX, with 30 bits. Two open cases of
// one collector may have the same code: with 1,000 open cases the probability for a new
// one is one in a million. A search for a code must therefore expect several hits; only
// the report's ID is unique.
func NewCase(random io.Reader) (string, error) {
	var b [6]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("generate a case code: %w", err)
	}
	for i := range b {
		b[i] = crockford[b[i]&31] // 256 is a multiple of 32, so all letters are equally likely
	}
	return dashed(b[:]), nil
}

// NormalizeCase parses a code as people type it: in any case, with any dashes, dots and
// spaces, with I and L for 1, and O for 0.
func NormalizeCase(s string) (code string, ok bool) {
	b, ok := caseSymbols(s)
	if !ok || len(b) != 6 {
		return "", false
	}
	return dashed(b), true
}

// CasePart parses a part of a code, at least three symbols long. The result has no
// dash.
func CasePart(s string) (part string, ok bool) {
	b, ok := caseSymbols(s)
	return string(b), ok && len(b) >= leastPart
}

// leastPart is the minimum number of symbols of a part of a code.
const leastPart = 3

// caseSymbols parses up to six symbols; ok is false if s contains anything else.
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

// caseSymbol parses one typed character. c is 0 if it belongs to no code.
func caseSymbol(r rune) (c byte, skip bool) {
	if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '.' || r == '_' || r == '/' {
		return 0, true
	}
	if r > unicode.MaxASCII {
		return 0, false // before case folding, which would turn U+017F "ſ" into S
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
