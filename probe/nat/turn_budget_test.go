package nat

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/probetest"
)

// TestNothingIsSentWithoutATurn: a relay for which the line budget has no room until the
// end of the check is not asked, so nothing is known about it.
func TestNothingIsSentWithoutATurn(t *testing.T) {
	for _, transport := range []relayTransport{overTCP, overTLS} {
		t.Run(transport.String(), func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = l.Close() }()
			received := make(chan []byte, 1)
			go func() {
				conn, err := l.Accept()
				if err != nil {
					received <- nil
					return
				}
				defer func() { _ = conn.Close() }()
				b, _ := io.ReadAll(conn)
				received <- b
			}()
			at := l.Addr().(*net.TCPAddr)
			p := relays{TURNConfig: TURNConfig{Timers: DefaultTimers}, renew: func(context.Context) error { return context.DeadlineExceeded }}
			o := p.try(t.Context(), probetest.Env(t), relayServer{transport: transport, host: at.IP.String(), port: at.Port}, nil)
			if o != (outcome{}) {
				t.Errorf("got %+v, want a relay that was not asked", o)
			}
			end, err := net.Dial("tcp", at.String()) // is accepted if nobody connected before
			if err != nil {
				t.Fatal(err)
			}
			_ = end.Close()
			if b := <-received; len(b) > 0 {
				t.Errorf("%d bytes were sent", len(b))
			}
		})
	}
}

// TestWithinExcept: the time of a wait is not part of the limit.
func TestWithinExcept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		env := probe.Env{Clock: probe.SystemClock{}}
		withinExcept(t.Context(), env, 3*time.Second, func(ctx context.Context, except func(func())) {
			time.Sleep(2 * time.Second)
			except(func() { time.Sleep(10 * time.Second) })
			except(func() { time.Sleep(5 * time.Second) })
			if ctx.Err() != nil {
				t.Error("the limit includes the waits")
			}
			<-ctx.Done()
		})
		if took := time.Since(start); took != 18*time.Second {
			t.Errorf("the context ended after %v, want 18s", took)
		}
	})
}
