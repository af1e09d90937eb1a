package resident

import (
	"crypto/sha1"
	"encoding/binary"
	"strconv"
	"strings"
	"unicode/utf16"
)

// serviceSID returns the security identifier of the virtual account of a Windows service:
// S-1-5-80 and the SHA-1 of the upper-case name in UTF-16. Windows resolves the account's
// name only while the service is installed, but files of an earlier installation remain.
func serviceSID(name string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(strings.ToUpper(name))) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	sum := sha1.Sum(b)
	sid := "S-1-5-80"
	for part := sum[:]; len(part) > 0; part = part[4:] {
		sid += "-" + strconv.FormatUint(uint64(binary.LittleEndian.Uint32(part)), 10)
	}
	return sid
}
