package proxy

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// askTime is the time for a proxy to accept a connection before the next one is
// tried.
const askTime = time.Second

// ForRequest implements the Proxy function of http.Transport. It returns the first
// proxy that accepts a connection. It ignores a script that does not work, as
// browsers do, and an unreachable proxy if the server itself accepts a connection,
// so that reports reach the collector if at all possible. If nothing accepts a
// connection it returns the last proxy, so that the error names it.
func (f *Finder) ForRequest(r *http.Request) (*url.URL, error) {
	proxies, err := f.Find(r.Context(), r.URL)
	if err != nil {
		return nil, nil
	}
	for _, via := range proxies {
		if via == nil || f.accepts(r.Context(), via) {
			return via, nil
		}
	}
	if f.accepts(r.Context(), r.URL) {
		return nil, nil
	}
	return proxies[len(proxies)-1], nil
}

// accepts reports whether the machine accepts a connection. A positive result is
// cached for a while, because every request needs it.
func (f *Finder) accepts(ctx context.Context, via *url.URL) bool {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	address := hostPort(via)
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
