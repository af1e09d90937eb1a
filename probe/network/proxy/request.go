package proxy

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// askTime is how long a proxy may take to accept a connection before the next
// way is chosen.
const askTime = time.Second

// ForRequest is what http.Transport wants as its Proxy. Of several ways it takes
// the first that accepts a connection. A script that does not work is passed by, as
// browsers do, and so is a proxy that is not there where the server itself accepts
// a connection: what waits for the collector must get there if it can. Where no way
// is open the last one is taken, so that the error names the proxy.
func (f *Finder) ForRequest(r *http.Request) (*url.URL, error) {
	ways, err := f.Find(r.Context(), r.URL)
	if err != nil {
		return nil, nil
	}
	for _, way := range ways {
		if way == nil || f.accepts(r.Context(), way) {
			return way, nil
		}
	}
	if f.accepts(r.Context(), r.URL) {
		return nil, nil
	}
	return ways[len(ways)-1], nil
}

// accepts says whether the machine of an address takes a connection. That it does
// is remembered for a while: every request asks.
func (f *Finder) accepts(ctx context.Context, way *url.URL) bool {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	address := hostPort(way)
	f.mu.Lock()
	fresh := f.Now().Sub(f.accepted[address]).Abs() < keepFor
	f.mu.Unlock()
	if fresh {
		return true
	}
	conn, err := f.Dial(ctx, "tcp", address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.accepted == nil || len(f.accepted) > maxRemembered {
		f.accepted = map[string]time.Time{}
	}
	f.accepted[address] = f.Now()
	return true
}
