package wire

import "regexp"

// HeaderSupportPhone contains the phone number of support in the collector's responses to agents. It is sent empty if none is
// set, so that agents delete an earlier one.
const HeaderSupportPhone = "Tonprobe-Support-Phone"

var rePhone = regexp.MustCompile(`^[+(0-9][0-9 ()/.-]{1,38}[0-9]$`)

// IsPhone reports whether s is a telephone number as people write it.
func IsPhone(s string) bool { return rePhone.MatchString(s) }
