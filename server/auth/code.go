package auth

import (
	"fmt"
	"io"
	"strings"
)

// crockford is the alphabet of the case codes. It has no I, L, O, U, so that a letter cannot be
// mistaken for a digit on the phone.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// enrolChars yields 60 bits: guessing one of 100,000 open codes with a million attempts a day takes
// longer than any code is valid, and so does finding a code for a hash in a stolen database.
const (
	enrolChars = 12
	enrolGroup = 4
)

// NewEnrolCode generates a code such as K7P3-QXM2-RT5Z.
func NewEnrolCode(random io.Reader) (string, error) {
	var b [enrolChars]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("generate an enrolment code: %w", err)
	}
	for i := range b {
		b[i] = crockford[b[i]&31]
	}
	return groups(b[:]), nil
}

// NormalizeEnrolCode normalizes a code as people type it: any case, with or without dashes and
// spaces, I and L for 1, O for 0. ok is false if it is not a code.
func NormalizeEnrolCode(s string) (code string, ok bool) {
	if len(s) > 128 {
		return "", false
	}
	var b []byte
	for _, r := range strings.ToUpper(s) {
		switch r {
		case ' ', '-', '.', '\t', '\n', '\r', '\u00a0', '–', '‑':
			continue
		case 'I', 'L':
			r = '1'
		case 'O':
			r = '0'
		}
		if r > 127 || strings.IndexByte(crockford, byte(r)) < 0 || len(b) == enrolChars {
			return "", false
		}
		b = append(b, byte(r))
	}
	if len(b) != enrolChars {
		return "", false
	}
	return groups(b), true
}

func groups(b []byte) string {
	var s []string
	for i := 0; i < len(b); i += enrolGroup {
		s = append(s, string(b[i:i+enrolGroup]))
	}
	return strings.Join(s, "-")
}
