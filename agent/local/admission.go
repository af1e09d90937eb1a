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
	// maxConnsOthers limits the total connections of accounts that are not served. They
	// are accepted only to send the refusal.
	maxConnsOthers = 4
)

// othersAccount counts the accounts that are not served. No system has an empty name.
const othersAccount = ""

// admittingListener accepts the connections of known accounts, and limits their number.
type admittingListener struct {
	net.Listener
	peerOf func(net.Conn) (Peer, error)
	log    *slog.Logger

	mu    sync.Mutex
	total int
	open  map[string]int
}

// Accept implements net.Listener. A connection that is not served is closed.
func (l *admittingListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer, err := l.peerOf(conn)
		if err != nil {
			l.log.Debug("a connection without a known account is closed", "err", err)
			_ = conn.Close()
			continue
		}
		account, most := peer.Account, maxConnsAccount
		if !peer.Person {
			account, most = othersAccount, maxConnsOthers
		}
		if !l.enter(account, most) {
			l.log.Debug("too many connections of one account")
			_ = conn.Close()
			continue
		}
		var once sync.Once
		return &peerConn{Conn: conn, peer: peer, gone: func() { once.Do(func() { l.leave(account) }) }}, nil
	}
}

func (l *admittingListener) enter(account string, most int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total >= maxConns || l.open[account] >= most {
		return false
	}
	l.total++
	l.open[account]++
	return true
}

func (l *admittingListener) leave(account string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.open[account]--; l.open[account] <= 0 {
		delete(l.open, account)
	}
}

// requestKind is a kind of request with a rate of its own.
type requestKind int

const (
	kindRead   requestKind = iota // reads what the service knows
	kindStored                    // reads one report: listing all reports takes hundreds of these requests
	kindEnrol                     // sends a code to a collector
	kindReport                    // writes a report to the disk
	kindScreen                    // registers a program as a screen
	kindProxy                     // forwards a request to the collector
)

// rates returns the sustained rate and the burst of k.
func (k requestKind) rates() (rate.Limit, int) {
	switch k {
	case kindStored:
		return 100, 500
	case kindEnrol:
		return rate.Every(30 * time.Second), 6
	case kindReport:
		return rate.Every(2 * time.Second), 30
	case kindScreen:
		return rate.Every(2 * time.Second), 10
	case kindProxy:
		return rate.Every(time.Second), 40
	}
	return 5, 120
}

// maxAccounts limits the number of rate limiters in memory. A machine has only a few
// users.
const maxAccounts = 256

// rateLimits limits the requests of each account.
type rateLimits struct {
	mu  sync.Mutex
	all map[rateLimitKey]*rate.Limiter
}

type rateLimitKey struct {
	account string
	kind    requestKind
}

func (p *rateLimits) allow(account string, k requestKind) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := rateLimitKey{account, k}
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
