package netbench

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// capture writes the packets that a host sends and receives as a pcap file of raw
// IP packets with nanosecond timestamps, for tshark. The timestamps are those of
// the truth.
type capture struct {
	to    io.Writer
	began time.Time
	err   error
}

const (
	pcapNanoseconds = 0xa1b23c4d
	linkTypeRaw     = 101 // LINKTYPE_RAW: IPv4 or IPv6, according to the first four bits
)

func newCapture(to io.Writer, began time.Time) (*capture, error) {
	var head [24]byte
	binary.LittleEndian.PutUint32(head[0:], pcapNanoseconds)
	binary.LittleEndian.PutUint16(head[4:], 2)
	binary.LittleEndian.PutUint16(head[6:], 4)
	binary.LittleEndian.PutUint32(head[16:], 1<<16)
	binary.LittleEndian.PutUint32(head[20:], linkTypeRaw)
	if _, err := to.Write(head[:]); err != nil {
		return nil, fmt.Errorf("begin a capture: %w", err)
	}
	return &capture{to: to, began: began}, nil
}

// take writes one packet, seen atNS after the start. The first error ends the
// capture and is stored.
func (c *capture) take(p packet, atNS int64) {
	if c == nil || c.err != nil {
		return
	}
	at := c.began.Add(time.Duration(atNS))
	b := make([]byte, 16, 16+len(p))
	binary.LittleEndian.PutUint32(b[0:], uint32(at.Unix()))
	binary.LittleEndian.PutUint32(b[4:], uint32(at.Nanosecond()))
	binary.LittleEndian.PutUint32(b[8:], uint32(len(p)))
	binary.LittleEndian.PutUint32(b[12:], uint32(len(p)))
	_, c.err = c.to.Write(append(b, p...))
}
