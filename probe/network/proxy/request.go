package proxy

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"
)

// askTime is how long a proxy may take to accept a connection before the next
// way is chosen.
const askTime = time.Second

// ForRequest is what http.Transport wants as its Proxy. Of several ways it takes
// the first that accepts a connection. A script that does not work is passed
// by, as browsers do: what waits for the collector must get there if it can.
func (f *Finder) ForRequest(r *http.Request) (*url.URL, error) {
	ways, err := f.Find(r.Context(), r.URL)
	if err != nil {
		return nil, nil
	}
	for i, way := range ways {
		if i == len(ways)-1 || way == nil || f.accepts(r.Context(), way) {
			return way, nil
		}
	}
	return nil, nil
}

func (f *Finder) accepts(ctx context.Context, way *url.URL) bool {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	port := way.Port()
	if port == "" {
		port = map[string]string{"https": "443", "socks5": "1080", "socks5h": "1080"}[way.Scheme]
	}
	if port == "" {
		port = "80"
	}
	conn, err := f.Dial(ctx, "tcp", net.JoinHostPort(way.Hostname(), port))
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
