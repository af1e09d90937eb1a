package report

import (
	"fmt"
	"io"
	"strings"
)

// crockford is Douglas Crockford's base32 alphabet: no I, L, O, U, so that a
// code read out on the phone cannot be misheard as a digit.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// NewCase draws a case code such as K7P-3QX: 30 random bits. A collector that
// already has it among its open cases finds the report by its ID instead.
func NewCase(random io.Reader) (string, error) {
	var b [6]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("draw a case code: %w", err)
	}
	for i := range b {
		b[i] = crockford[b[i]&31]
	}
	return string(b[:3]) + "-" + string(b[3:]), nil
}

// NormalizeCase reads a code as people type it: any case, with or without
// dash or spaces, I and L for 1, O for 0. ok is false when it is no code.
func NormalizeCase(s string) (code string, ok bool) {
	if len(s) > 64 {
		return "", false
	}
	var b []byte
	for _, r := range strings.ToUpper(s) {
		switch r {
		case ' ', '-', '.', '\t', '\u00a0', '–':
			continue
		case 'I', 'L':
			r = '1'
		case 'O':
			r = '0'
		}
		if r > 127 || strings.IndexByte(crockford, byte(r)) < 0 || len(b) == 6 {
			return "", false
		}
		b = append(b, byte(r))
	}
	if len(b) != 6 {
		return "", false
	}
	return string(b[:3]) + "-" + string(b[3:]), true
}
