package conferencetest

import "google.golang.org/protobuf/encoding/protowire"

// LiveKitMessage returns a message of a LiveKit: a field with an embedded message of texts, by
// their numbers.
func LiveKitMessage(field protowire.Number, texts ...string) []byte {
	var inner []byte
	for i, s := range texts {
		inner = protowire.AppendString(protowire.AppendTag(inner, protowire.Number(i+1), protowire.BytesType), s)
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), inner)
}
