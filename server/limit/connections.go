package limit

import (
	"container/list"
	"io"
	"net"
	"net/netip"
	"sync"
)

// Connections limits the number of open connections, in total and for each client site. Its
// methods are safe for concurrent use.
//
// A limit on the total alone allows one client with many silent connections to block all
// others. Therefore, when the total is reached, a new connection displaces the oldest one of
// the site with the most connections.
type Connections struct {
	total, perSite int

	mu    sync.Mutex
	open  int
	sites map[netip.Prefix]*list.List // of *connection, the oldest first
	// byCount contains the sites by their number of connections, to find the site with the
	// most without iterating over all of them.
	byCount []map[netip.Prefix]struct{}
}

type connection struct {
	conn io.Closer
	site netip.Prefix
	in   *list.Element // nil after removal
}

// NewConnections allows total connections at the same time, perSite of them from one site.
func NewConnections(total, perSite int) *Connections {
	l := &Connections{
		total: total, perSite: min(perSite, total), sites: map[netip.Prefix]*list.List{},
	}
	l.byCount = make([]map[netip.Prefix]struct{}, l.perSite+1)
	for i := range l.byCount {
		l.byCount[i] = map[netip.Prefix]struct{}{}
	}
	return l
}

// Enter counts conn, a connection from that address, until leave is called. It may close another
// connection to make room. ok is false if there is none; the caller then closes conn. leave may
// be called more than once.
func (l *Connections) Enter(conn io.Closer, from netip.Addr) (leave func(), ok bool) {
	e := &connection{conn: conn, site: Site(from)}
	l.mu.Lock()
	own := l.count(e.site)
	var out *connection
	switch {
	case own >= l.perSite:
		l.mu.Unlock()
		return nil, false
	case l.open >= l.total:
		// Displacement between sites with equal numbers would gain nothing.
		if out = l.oldestOfLargest(own + 2); out == nil {
			l.mu.Unlock()
			return nil, false
		}
		l.remove(out)
	}
	l.add(e)
	l.mu.Unlock()
	if out != nil {
		_ = out.conn.Close() // without the lock, because Close may call leave
	}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.remove(e)
	}, true
}

// Open returns the number of counted connections.
func (l *Connections) Open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open
}

func (l *Connections) count(site netip.Prefix) int {
	if s := l.sites[site]; s != nil {
		return s.Len()
	}
	return 0
}

func (l *Connections) oldestOfLargest(least int) *connection {
	for n := l.perSite; n >= least; n-- {
		for site := range l.byCount[n] {
			return l.sites[site].Front().Value.(*connection)
		}
	}
	return nil
}

func (l *Connections) add(e *connection) {
	s := l.sites[e.site]
	if s == nil {
		s = list.New()
		l.sites[e.site] = s
	}
	delete(l.byCount[s.Len()], e.site)
	e.in = s.PushBack(e)
	l.byCount[s.Len()][e.site] = struct{}{}
	l.open++
}

func (l *Connections) remove(e *connection) {
	if e.in == nil {
		return
	}
	s := l.sites[e.site]
	delete(l.byCount[s.Len()], e.site)
	s.Remove(e.in)
	e.in = nil
	l.open--
	if s.Len() == 0 {
		delete(l.sites, e.site)
		return
	}
	l.byCount[s.Len()][e.site] = struct{}{}
}

// Site returns the network that counts as one client: an IPv4 address, which a whole office may
// share, or an IPv6 /48, which is assigned to a site (RFC 6177 §2). With /64, one site would count
// as 65,536 clients.
func Site(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 48
	}
	p, err := a.Prefix(bits)
	if err != nil { // no IP address, such as a pipe in a test
		return netip.Prefix{}
	}
	return p
}

// Peer returns the address of the other end of a connection; the zero Addr if it has none.
func Peer(c net.Conn) netip.Addr {
	a, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return a.AddrPort().Addr().Unmap()
}
