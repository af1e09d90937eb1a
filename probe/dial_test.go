package probe_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"

	"github.com/tonprobe/tonprobe/probe"
)

func TestDialEndsWithItsContext(t *testing.T) {
	n, err := stdnet.NewNet()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	conn, err := (probe.Env{Net: n}).Dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, network := range map[string]transport.Net{"system": n, "without contexts": hanging{Net: n}} {
		if _, err := (probe.Env{Net: network}).Dial(cancelled, "tcp", l.Addr().String()); err == nil {
			t.Errorf("%s: connected despite a cancelled context", name)
		}
	}
}

// hanging is a network whose dialler ignores the context and never returns.
type hanging struct{ transport.Net }

func (hanging) CreateDialer(*net.Dialer) transport.Dialer { return hangingDialer{} }

type hangingDialer struct{}

func (hangingDialer) Dial(string, string) (net.Conn, error) {
	time.Sleep(time.Hour)
	return nil, errors.New("too late")
}
