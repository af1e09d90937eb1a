package load

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/tonprobe/tonprobe/probe/media/wire/kerneltcp"
)

// connections fill the line together, as in common speed tests. A single one leaves slow start as
// soon as packets are queued (HyStart, RFC 9406) and then needs far more than 3 s to fill a deep
// queue.
const connections = 4

// collectorClient sends requests to the collector on the connections of one phase.
type collectorClient struct {
	http.Client
	token string
}

// connect returns a client whose connections belong to one phase; data that they have not sent when
// they are closed is discarded. They use HTTP/1.1, because HTTP/2 would use a single connection,
// and Go's client writes frames of up to 512 KiB, which a server delivers only when they are
// complete. in, if not nil, counts all bytes that arrive.
func (p load) connect(in *counter) *collectorClient {
	t := p.Transport.Clone()
	t.Protocols, t.ForceAttemptHTTP2, t.TLSNextProto = new(http.Protocols), false, nil
	t.Protocols.SetHTTP1(true)
	if t.TLSClientConfig != nil {
		t.TLSClientConfig.NextProtos = nil
	}
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 2*connections, connections
	dial := t.DialContext
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	t.DialContext = func(ctx context.Context, network, at string) (net.Conn, error) {
		conn, err := dial(ctx, network, at)
		if err != nil {
			return nil, err
		}
		if tcp, ok := conn.(interface{ SetLinger(int) error }); ok {
			_ = tcp.SetLinger(0)
		}
		kerneltcp.FillQueues(conn)
		if in != nil {
			return in.watch(conn), nil
		}
		return conn, nil
	}
	return &collectorClient{http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, p.token}
}

// countedConn counts below TLS, which delivers a record when it is complete: 16 KiB
// take half a second at 300 kbit/s.
type countedConn struct {
	net.Conn
	received func(int)
}

// Read implements net.Conn.
func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.received(n)
	}
	return n, err
}

// statusError is a response other than success.
type statusError struct{ status int }

func (e *statusError) Error() string {
	return fmt.Sprintf("the collector answered with status %d", e.status)
}

// do sends a request; body has size bytes.
func (c *collectorClient) do(ctx context.Context, method string, at *url.URL, body io.Reader, size int) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, at.String(), body)
	if err != nil {
		return nil, fmt.Errorf("query the load: %w", err)
	}
	req.ContentLength = int64(size)
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Accept-Encoding", "identity")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/octet-stream")
	}
	resp, err := c.Do(req)
	if err != nil {
		return nil, fmt.Errorf("query the load: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	_ = resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return nil, fmt.Errorf("query the load: %w", errBusy)
	}
	return nil, fmt.Errorf("query the load: %w", &statusError{resp.StatusCode})
}
