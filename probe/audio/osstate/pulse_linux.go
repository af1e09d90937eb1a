package osstate

import (
	"context"
	"net"

	"github.com/jfreymuth/pulse/proto"
)

// DialPulse connects to the sound server for a stream. onEvent is called for
// unsolicited messages, including samples.
func DialPulse(ctx context.Context, onEvent func(any)) (*proto.Client, net.Conn, error) {
	return dialPulse(ctx, onEvent)
}

// PulseAnswers reports whether a sound server accepts a connection and signs it in.
func PulseAnswers(ctx context.Context) bool {
	_, conn, err := dialPulse(ctx, nil)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
