package reflect

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
)

const (
	// socketBytes is asked of the kernel for each UDP socket: at 50,000
	// packets/s the usual 200 kB are full after 5 ms of a busy processor, and
	// what is lost there would be blamed on a participant's line.
	socketBytes = 16 << 20
	// leastSocketBytes is enough for some dozen streams.
	leastSocketBytes = 1 << 20
)

// ports are the sockets of one port: a UDP socket for every address and one
// TCP listener.
type ports struct {
	udp   []*net.UDPConn
	addrs []netip.AddrPort // of udp
	tcp   net.Listener
}

// openPorts listens on host:port. A port of 0 becomes one that is free on all
// addresses for both protocols.
func openPorts(hostport string, log *slog.Logger) (*ports, error) {
	host, portText, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, fmt.Errorf("listen address %q: %w", hostport, err)
	}
	port, err := net.LookupPort("udp", portText)
	if err != nil {
		return nil, fmt.Errorf("listen address %q: %w", hostport, err)
	}
	ips, err := listenIPs(host)
	if err != nil {
		return nil, fmt.Errorf("listen address %q: %w", hostport, err)
	}
	tries := 1
	if port == 0 {
		tries = 20 // the port UDP picked may be taken for TCP
	}
	var p *ports
	for range tries {
		if p, err = listenAll(host, ips, port, log); err == nil {
			return p, nil
		}
	}
	return nil, fmt.Errorf("listen on %q: %w", hostport, err)
}

// listenIPs are the addresses host stands for. One socket per address, not one
// for all: an unbound socket answers from whichever address the route prefers,
// and a client drops answers from an address it did not ask.
func listenIPs(host string) ([]netip.Addr, error) {
	if host != "" {
		if ip, err := netip.ParseAddr(host); err == nil && !ip.IsUnspecified() {
			return []netip.Addr{ip.Unmap()}, nil
		} else if err != nil {
			return lookupIPs(host)
		}
	}
	only4 := host == "0.0.0.0"
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list the local addresses: %w", err)
	}
	var ips []netip.Addr
	for _, a := range interfaces {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		ip := prefix.Addr().Unmap()
		if ip.IsLinkLocalUnicast() || ip.IsMulticast() || only4 && !ip.Is4() {
			continue
		}
		ips = append(ips, ip)
	}
	// Addresses others can reach come first: the first one is what is shown.
	slices.SortStableFunc(ips, func(a, b netip.Addr) int { return rank(a) - rank(b) })
	return slices.Compact(ips), nil
}

func rank(ip netip.Addr) int {
	n := 0
	if ip.IsLoopback() {
		n += 2
	}
	if !ip.Is4() {
		n++
	}
	return n
}

func lookupIPs(host string) ([]netip.Addr, error) {
	found, err := net.LookupIP(host)
	if err != nil {
		return nil, err
	}
	var ips []netip.Addr
	for _, f := range found {
		if ip, ok := netip.AddrFromSlice(f); ok {
			ips = append(ips, ip.Unmap())
		}
	}
	return ips, nil
}

// listenAll opens the sockets. An address that cannot be bound is left out (one
// that is going away must not keep a collector from starting), as long as one
// remains.
func listenAll(host string, ips []netip.Addr, port int, log *slog.Logger) (*ports, error) {
	p := &ports{}
	var faults []error
	for _, ip := range ips {
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, uint16(port))))
		if err != nil {
			faults = append(faults, err)
			continue
		}
		widen(conn, log)
		addr := netip.AddrPortFrom(ip, conn.LocalAddr().(*net.UDPAddr).AddrPort().Port())
		port = int(addr.Port())
		p.udp, p.addrs = append(p.udp, conn), append(p.addrs, addr)
	}
	if len(p.udp) == 0 {
		return nil, errors.Join(append(faults, errors.New("no local address to listen on"))...)
	}
	for _, err := range faults {
		log.Warn("a local address cannot be served", "err", err)
	}
	if len(ips) == 1 {
		host = ips[0].String()
	}
	var err error
	if p.tcp, err = net.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(port))); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// Close closes the sockets; a socket that is closed already is no error.
func (p *ports) Close() error {
	var faults []error
	for _, c := range p.udp {
		faults = append(faults, c.Close())
	}
	if p.tcp != nil {
		faults = append(faults, p.tcp.Close())
	}
	return ignoreClosed(errors.Join(faults...))
}

// ignoreClosed drops the faults that only say "closed already".
func ignoreClosed(err error) error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		var kept []error
		for _, e := range joined.Unwrap() {
			kept = append(kept, ignoreClosed(e))
		}
		return errors.Join(kept...)
	}
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
