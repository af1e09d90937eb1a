package local

import (
	"log/slog"
	"net"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Numbers of connections. A check needs about eight at once.
const (
	maxConns        = 64
	maxConnsAccount = 24
	// maxConnsOthers limits those of all accounts together that are not served. They are
	// accepted only to say so.
	maxConnsOthers = 4
)

// othersAccount counts the accounts that are not served. No system has an empty name.
const othersAccount = ""

// doorman accepts the connections of known accounts, and limits their number.
type doorman struct {
	net.Listener
	peerOf func(net.Conn) (Peer, error)
	log    *slog.Logger

	mu    sync.Mutex
	total int
	open  map[string]int
}

// Accept implements net.Listener. A connection that is not served is closed.
func (d *doorman) Accept() (net.Conn, error) {
	for {
		conn, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer, err := d.peerOf(conn)
		if err != nil {
			d.log.Debug("a connection without a known account is closed", "err", err)
			_ = conn.Close()
			continue
		}
		account, most := peer.Account, maxConnsAccount
		if !peer.Person {
			account, most = othersAccount, maxConnsOthers
		}
		if !d.enter(account, most) {
			d.log.Debug("too many connections of one account")
			_ = conn.Close()
			continue
		}
		var once sync.Once
		return &peerConn{Conn: conn, peer: peer, gone: func() { once.Do(func() { d.leave(account) }) }}, nil
	}
}

func (d *doorman) enter(account string, most int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.total >= maxConns || d.open[account] >= most {
		return false
	}
	d.total++
	d.open[account]++
	return true
}

func (d *doorman) leave(account string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.total--
	if d.open[account]--; d.open[account] <= 0 {
		delete(d.open, account)
	}
}

// kind is a kind of request with a rate of its own.
type kind int

const (
	asks   kind = iota // reads what the service knows
	enrols             // sends a code to a collector
	hands              // writes a report to the disk
	passes             // passes a request to the collector
)

// rates returns the sustained rate and the burst of a kind.
func (k kind) rates() (rate.Limit, int) {
	switch k {
	case enrols:
		return rate.Every(30 * time.Second), 6
	case hands:
		return rate.Every(2 * time.Second), 30
	case passes:
		return rate.Every(time.Second), 40
	}
	return 5, 120
}

// maxAccounts limits the number of rate limiters in memory. A machine has only a few
// users.
const maxAccounts = 256

// pace limits the requests of each account.
type pace struct {
	mu  sync.Mutex
	all map[paceKey]*rate.Limiter
}

type paceKey struct {
	account string
	kind    kind
}

func (p *pace) allow(account string, k kind) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := paceKey{account, k}
	l := p.all[key]
	if l == nil {
		if len(p.all) >= maxAccounts {
			clear(p.all)
		}
		l = rate.NewLimiter(k.rates())
		p.all[key] = l
	}
	return l.Allow()
}
