//go:build !linux

package reflector

import "net"

// echoBatch sends each echo at once.
type echoBatch struct {
	atOnce
	space [echoBytes]byte
}

func (*echoBatch) prepare(*net.UDPConn) {}

// scratch returns space for the answer to arrival i.
func (b *echoBatch) scratch(int) []byte { return b.space[:0] }

func (*echoBatch) flush() {}
