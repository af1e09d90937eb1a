package report

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"time"
)

// NewID returns a UUIDv7 (RFC 9562 §5.7) of the time and 74 random bits, so that
// reports sort by age. A clock before 1970 counts as 1970: the report of such a
// computer must be valid, because the clock is the finding.
func NewID(now time.Time, random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[6:]); err != nil {
		return "", fmt.Errorf("generate a report id: %w", err)
	}
	ms := uint64(max(now.UnixMilli(), 0))
	binary.BigEndian.PutUint32(b[0:], uint32(ms>>16))
	binary.BigEndian.PutUint16(b[4:], uint16(ms))
	b[6] = 0x70 | b[6]&0x0f // version 7
	b[8] = 0x80 | b[8]&0x3f // variant of RFC 9562 §4.1
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], nil
}
