package media

import (
	"errors"
	"net"
	"testing"

	"github.com/pion/stun/v2"
)

// streamEnd and packetEnd count what passed the gate.
type streamEnd struct {
	net.Conn
	n *int
}

func (e streamEnd) Write(b []byte) (int, error) { *e.n++; return len(b), nil }

type packetEnd struct {
	net.PacketConn
	n *int
}

func (e packetEnd) WriteTo(b []byte, _ net.Addr) (int, error) { *e.n++; return len(b), nil }

func TestRelaysWaitForTheGate(t *testing.T) {
	message := func(m stun.Method) []byte {
		return stun.MustBuild(stun.TransactionID, stun.NewType(m, stun.ClassRequest)).Raw
	}
	for name, c := range map[string]struct {
		b     []byte
		waits bool
	}{
		"a permission":  {message(stun.MethodCreatePermission), true},
		"an allocation": {message(stun.MethodAllocate), false},
		"a refresh":     {message(stun.MethodRefresh), false},
		"one byte":      {[]byte{0}, false},
		"nothing":       {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			var gate relayGate
			through := 0
			sends := []func([]byte) error{
				func(b []byte) error { _, err := gatedConn{streamEnd{n: &through}, &gate}.Write(b); return err },
				func(b []byte) error {
					_, err := gatedPackets{packetEnd{n: &through}, &gate}.WriteTo(b, nil)
					return err
				},
			}
			for _, send := range sends {
				if err := send(c.b); errors.Is(err, errGateClosed) != c.waits {
					t.Errorf("closed: got error %v, want %v: %t", err, errGateClosed, c.waits)
				}
			}
			gate.open.Store(true)
			for _, send := range sends {
				if err := send(c.b); err != nil {
					t.Errorf("open: got error %v, want none", err)
				}
			}
			if want := map[bool]int{true: 2, false: 4}[c.waits]; through != want {
				t.Errorf("got %d writes, want %d", through, want)
			}
		})
	}
}
