package conferencetest

import (
	"context"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/encoding/protowire"
)

// LiveKitMessage returns a message of a LiveKit: a field with an embedded message of texts, by
// their numbers.
func LiveKitMessage(field protowire.Number, texts ...string) []byte {
	var inner []byte
	for i, s := range texts {
		inner = protowire.AppendString(protowire.AppendTag(inner, protowire.Number(i+1), protowire.BytesType), s)
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), inner)
}

// LiveKitCall speaks to a participant of either kind as a LiveKit whose media server does not
// exist: it names the first of the addresses in its descriptions, the others separately.
func LiveKitCall(ctx context.Context, c *websocket.Conn, addresses ...string) {
	write := func(messages ...[]byte) {
		for _, m := range messages {
			_ = c.Write(ctx, websocket.MessageBinary, m) // an error ends the next read too
		}
	}
	write(LiveKitMessage(1, "room"))
	for _, at := range addresses[1:] {
		candidate := `{"candidate":"` + Candidate(at) + `"}`
		// Target is 0, the publisher, by default.
		toSubscriber := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), candidate)
		toSubscriber = protowire.AppendVarint(protowire.AppendTag(toSubscriber, 2, protowire.VarintType), 1)
		write(LiveKitMessage(4, candidate), protowire.AppendBytes(protowire.AppendTag(nil, 4, protowire.BytesType), toSubscriber))
	}
	write(LiveKitMessage(3, "offer", Description("actpass", addresses[0])))
	for i := 1; ; i++ {
		if _, _, err := c.Read(ctx); err != nil {
			return
		}
		if i == 2 { // the publisher has sent the name of its track and the offer
			write(LiveKitMessage(2, "answer", Description("passive", addresses[0])), LiveKitMessage(6, "voice"))
		}
	}
}
