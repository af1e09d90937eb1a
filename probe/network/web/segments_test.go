//go:build linux || darwin

package web

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/pion/transport/v4"

	"github.com/tonprobe/tonprobe/probe/probetest"
)

// TestSmallPackets: a server whose TLS hangs, in one case for large packets only.
func TestSmallPackets(t *testing.T) {
	ca := newAuthority(t, "town")
	served := secure(t, ca.good(t), ok)
	_, servedAt, _ := net.SplitHostPort(served.Listener.Addr().String())
	for name, c := range map[string]struct {
		second string // target of the second connection
		want   string
	}{
		"large ones vanish":   {servedAt, "yes"},
		"hangs with any size": {"", "no"},
	} {
		silent, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts connections, but nothing responds
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = silent.Close() })
		_, silentAt, _ := net.SplitHostPort(silent.Addr().String())
		config := direct("https", served, ca)
		config.URL, config.StepTime = "https://"+host+":"+silentAt+"/", 2*time.Second // the second handshake takes longer on a busy machine
		env := probetest.Env(t)
		second := silentAt
		if c.second != "" {
			second = c.second
		}
		env.Net = bySize{env.Net, "127.0.0.1:" + second}
		d, r := run(t, config, env)
		got := "unknown"
		if d.TLSSmallPackets != nil {
			got = map[bool]string{true: "yes", false: "no"}[*d.TLSSmallPackets]
		}
		if d.Stage != stageTCP || got != c.want {
			t.Errorf("%s: got %s, want %s: %+v, %+v", name, got, c.want, d, r)
		}
	}
	d, _ := run(t, direct("https", served, ca), probetest.Env(t))
	if d.TLSSmallPackets != nil {
		t.Error("small packets were tested although nothing hung")
	}
}

// bySize redirects connections that request small segments.
type bySize struct {
	transport.Net
	small string
}

func (n bySize) CreateDialer(d *net.Dialer) transport.Dialer {
	if d.Control == nil {
		return n.Net.CreateDialer(d)
	}
	return elsewhere{d, n.small}
}

type elsewhere struct {
	*net.Dialer
	at string
}

func (e elsewhere) DialContext(ctx context.Context, network, _ string) (net.Conn, error) {
	return e.Dialer.DialContext(ctx, network, e.at)
}
