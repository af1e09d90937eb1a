package store

import (
	"slices"
	"strings"
	"unicode"
)

// PhoneKeys returns the numbers in a text as searches compare them: digits with the
// national prefix, so that "+49 (0)30 12-34", "0049 30/12.34" and "030 1234" are the same.
// Letters, commas and semicolons separate numbers.
func PhoneKeys(text string) []string {
	var keys []string
	for _, number := range strings.FieldsFunc(text, func(r rune) bool { return !isPhoneRune(r) }) {
		if key := phoneKey(number); key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// PhonePart returns the key of a text that is a phone number or a part of one; ok is
// false if it contains anything else.
func PhonePart(text string) (key string, ok bool) {
	if strings.ContainsFunc(text, func(r rune) bool { return !isPhoneRune(r) }) {
		return "", false
	}
	key = phoneKey(text)
	return key, key != ""
}

// isPhoneRune reports whether a number may contain r: a digit, or what people write
// between them.
func isPhoneRune(r rune) bool {
	return r >= '0' && r <= '9' || strings.ContainsRune("+-/.()·", r) || unicode.IsSpace(r) || unicode.Is(unicode.Pd, r)
}

func phoneKey(number string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
	if strings.HasPrefix(strings.TrimLeftFunc(number, func(r rune) bool { return r == '(' || unicode.IsSpace(r) }), "+") {
		digits = "00" + digits
	}
	if national, german := strings.CutPrefix(digits, "0049"); german {
		return "0" + strings.TrimPrefix(national, "0") // +49 (0)30
	}
	return digits
}
