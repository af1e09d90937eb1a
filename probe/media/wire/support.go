package wire

import "regexp"

// HeaderSupportPhone carries the telephone number of phone support in the collector's
// answers to agents; empty where none is set, so that an agent forgets an old one.
const HeaderSupportPhone = "Tonprobe-Support-Phone"

var rePhone = regexp.MustCompile(`^[+(0-9][0-9 ()/.-]{1,38}[0-9]$`)

// IsPhone reports whether s is a telephone number as people write it.
func IsPhone(s string) bool { return rePhone.MatchString(s) }
