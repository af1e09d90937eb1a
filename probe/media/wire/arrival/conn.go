package arrival

import (
	"net"
	"net/netip"
	"time"
)

// Conn is a UDP socket that records when RTP packets arrive and depart. It implements the interfaces by which pion reads
// and writes without allocating.
//
// Only one goroutine may read at a time; any may write.
type Conn struct {
	*net.UDPConn
	arrivals   *Stamps
	departures *Stamps // nil if departures are not needed
	now        func() time.Time
	oob        []byte
	kernel     kernelDepartures
}

// Wrap returns a Conn that records into arrivals, and into departures unless that is nil. If the kernel provides no time,
// the time of the read call is used, and the time just before the write call. now must return a monotonic reading.
func Wrap(conn *net.UDPConn, arrivals, departures *Stamps, now func() time.Time) *Conn {
	c := &Conn{UDPConn: conn, arrivals: arrivals, departures: departures, now: now}
	if askKernel(conn) == nil {
		c.oob = make([]byte, oobBytes)
	}
	if departures != nil {
		c.kernel.ask(conn)
	}
	return c
}

// ReadFromAddrPort reads one packet.
func (c *Conn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	if c.oob == nil {
		n, from, err := c.UDPConn.ReadFromUDPAddrPort(b)
		if err == nil {
			c.arrivals.Note(b[:n], c.now())
		}
		return n, from, err
	}
	n, oobn, _, from, err := c.UDPConn.ReadMsgUDPAddrPort(b, c.oob)
	if err == nil {
		c.arrivals.Note(b[:n], c.arrived(c.oob[:oobn], c.now()))
	}
	return n, from, err
}

// arrived converts the kernel's wall-clock time to the monotonic clock by its age: a step of the wall clock affects only
// the current packets, and those with an impossible age get the time of the read call.
func (c *Conn) arrived(oob []byte, now time.Time) time.Time {
	wallNS, ok := kernelTime(oob)
	if !ok {
		return now
	}
	age := time.Duration(now.UnixNano() - wallNS)
	if age < 0 || age > oldest {
		return now
	}
	return now.Add(-age)
}

// ReadFrom reads one packet.
func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// WriteToAddrPort sends one packet.
func (c *Conn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	if c.departures == nil {
		return c.UDPConn.WriteToUDPAddrPort(b, to)
	}
	if _, isRTP := keyOf(b); !isRTP {
		return c.UDPConn.WriteToUDPAddrPort(b, to)
	}
	n, left, err := c.kernel.send(c, b, to)
	if err == nil {
		c.departures.Note(b, left)
	}
	return n, err
}

// WriteTo sends one packet.
func (c *Conn) WriteTo(b []byte, to net.Addr) (int, error) {
	if udp, ok := to.(*net.UDPAddr); ok {
		return c.WriteToAddrPort(b, udp.AddrPort())
	}
	return c.UDPConn.WriteTo(b, to)
}
