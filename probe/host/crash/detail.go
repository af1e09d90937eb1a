package crash

import (
	"strconv"
	"strings"
)

// word returns a system's code if it has the form allowed in a report, otherwise
// "", because free text may contain anything.
func word(code string) string {
	code = strings.ToLower(strings.TrimSpace(code))
	// A report with a leading underscore here is invalid, and would be lost.
	if code == "" || len(code) > 32 || code[0] == '_' || strings.Trim(code, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return ""
	}
	return code
}

// hex returns a code as a hexadecimal number; "" if it is not one, or 0. Windows
// writes exception codes with and without 0x.
func hex(code string, base int) string {
	code = strings.ToLower(strings.TrimSpace(code))
	if rest, ok := strings.CutPrefix(code, "0x"); ok {
		code, base = rest, 16
	}
	n, err := strconv.ParseUint(code, base, 64)
	if err != nil || n == 0 {
		return ""
	}
	return "0x" + strconv.FormatUint(n, 16)
}
