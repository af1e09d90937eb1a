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
