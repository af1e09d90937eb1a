package nat_test

import (
	"context"
	"encoding/binary"
	"net"
	"testing"
	"time"

	"github.com/pion/stun/v2"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/nat"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// stunHeader is the length of a STUN header (RFC 8489 §5).
const stunHeader = 20

// nonsense runs a TURN server that sends the same bytes in response to each
// request. If they look like a message it inserts the id of the request, because
// the library would drop them otherwise.
func nonsense(t testing.TB, answer []byte) (url string) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buf := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			reply := append([]byte(nil), answer...)
			if n >= stunHeader && len(reply) >= stunHeader {
				copy(reply[4:stunHeader], buf[4:stunHeader])
				binary.BigEndian.PutUint16(reply[2:], uint16(len(reply)-stunHeader))
			}
			_, _ = conn.WriteTo(reply, from)
		}
	}()
	return "turn:" + conn.LocalAddr().String()
}

// allocateAnswer returns a response to an Allocate request (RFC 8656 §7.3).
func allocateAnswer(class stun.MessageClass, attributes ...stun.Setter) []byte {
	setters := append([]stun.Setter{stun.TransactionID, stun.NewType(stun.MethodAllocate, class)}, attributes...)
	return stun.MustBuild(setters...).Raw
}

// FuzzTURNAnswers checks that whatever a server responds, the probe ends in time
// and reports nothing that requires a real relay.
func FuzzTURNAnswers(f *testing.F) {
	unauthorized := []stun.Setter{stun.CodeUnauthorized, stun.NewRealm("r"), stun.NewNonce("n")}
	for _, seed := range [][]byte{
		nil, []byte("HTTP/1.1 400 Bad Request\r\n\r\n"), make([]byte, stunHeader), make([]byte, 1500),
		allocateAnswer(stun.ClassSuccessResponse),
		allocateAnswer(stun.ClassSuccessResponse, stun.RawAttribute{Type: stun.AttrXORRelayedAddress, Value: []byte{0, 1}}),
		allocateAnswer(stun.ClassSuccessResponse, stun.RawAttribute{Type: stun.AttrXORRelayedAddress, Value: []byte{0, 9, 1, 2, 3, 4, 5, 6}}),
		allocateAnswer(stun.ClassErrorResponse),
		allocateAnswer(stun.ClassErrorResponse, stun.CodeUnauthorized),
		allocateAnswer(stun.ClassErrorResponse, unauthorized...),
		allocateAnswer(stun.ClassErrorResponse, stun.CodeStaleNonce, stun.NewRealm("r"), stun.NewNonce("n")),
		allocateAnswer(stun.ClassErrorResponse, stun.RawAttribute{Type: stun.AttrErrorCode, Value: []byte{0, 0, 0xff, 0xff}}),
		allocateAnswer(stun.ClassIndication),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		if len(answer) > 1500 {
			return
		}
		url := nonsense(t, answer)
		timers := nat.Timers{RTO: 10 * time.Millisecond, Rc: 2, Rm: 2}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		r, err := nat.NewTURN(nat.TURNConfig{Timers: timers, ICE: func(context.Context) (wire.ICEConfig, error) {
			return wire.ICEConfig{ICEServers: []wire.ICEServer{{URLs: []string{url}, Username: "a", Credential: "b"}}}, nil
		}}).Run(ctx, probetest.Env(t))
		d, ok := r.Data.(*report.NATTURN)
		if err != nil || !ok {
			t.Fatalf("got %+v, error %v, want data and no error", r, err)
		}
		if ctx.Err() != nil {
			t.Error("the probe hung")
		}
		// There is no STUN server to reach through the relay, and no other
		// transport.
		if d.UDPRelayed != nil || d.TCPAllocated != nil || d.TLSAllocated != nil {
			t.Errorf("got %+v, want nothing that requires a relay", d)
		}
		if d.UDPAllocated != nil && !*d.UDPAllocated && d.UDPError == "" {
			t.Errorf("got a refusal without a reason: %+v", d)
		}
	})
}
