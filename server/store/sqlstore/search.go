package sqlstore

import (
	"strings"
	"unicode"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// leastDigits is how many digits a search needs to be one for a phone number.
const leastDigits = 3

const likeSearched = ` LIKE ? ESCAPE '\'`

// searched is the condition that a search stands for.
func (s *Store) searched(search string) (condition string, args []any) {
	var names []string
	for _, word := range strings.FieldsFunc(search, func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == ';' }) {
		names = append(names, "p.search_key"+likeSearched)
		args = append(args, like(foldUmlauts(store.NameKey(word))))
	}
	if len(names) == 0 { // only separators
		return "1 = 0", nil
	}
	any := []string{"(" + strings.Join(names, " AND ") + ")"}
	if digits, ok := phoneOf(search); ok {
		any, args = append(any, "p.phone_key"+likeSearched), append(args, like(digits))
	}
	// Some names read as a code as well ("Meyers"), so both are searched.
	if code, ok := report.SpokenCase(search); ok {
		any, args = append(any, "p.id IN (SELECT participant_id FROM reports WHERE org_id = ? AND case_code = ?)"), append(args, s.org, code)
	} else if part, ok := report.CasePart(search); ok {
		// Of the latest check only: in all reports it would be a scan.
		any, args = append(any, "replace(l.case_code, '-', '')"+likeSearched), append(args, like(part))
	}
	return "(" + strings.Join(any, " OR ") + ")", args
}

// phoneKey is what a search compares of a phone number: its digits with the
// national prefix.
func phoneKey(phone string) string {
	plain := strings.NewReplacer(" ", "", "/", "", "-", "", "(", "", ")", "").Replace(phone)
	return strings.ReplaceAll(plain, "+49", "0")
}

// foldUmlauts makes "mueller" and "muller" the same.
func foldUmlauts(key string) string {
	return strings.NewReplacer("ae", "a", "oe", "o", "ue", "u").Replace(key)
}

// phoneOf is the digits of a search that can be a part of a phone number.
func phoneOf(search string) (digits string, ok bool) {
	plus := strings.HasPrefix(strings.TrimSpace(search), "+49")
	var b strings.Builder
	for _, r := range search {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case unicode.IsSpace(r) || strings.ContainsRune("+-/().", r):
		default:
			return "", false
		}
	}
	digits = b.String()
	if plus {
		digits = "0" + strings.TrimPrefix(digits, "49")
	} else if rest, found := strings.CutPrefix(digits, "0049"); found {
		digits = "0" + rest
	}
	return digits, len(digits) >= leastDigits
}

// like is the LIKE pattern (with ESCAPE '\') for a part of a text.
func like(part string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(part) + "%"
}
