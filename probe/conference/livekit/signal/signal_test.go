package signal

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// inner returns a field with an embedded message.
func inner(number protowire.Number, fields ...[]byte) []byte {
	var b []byte
	for _, f := range fields {
		b = append(b, f...)
	}
	return message(number, b)
}

func word(number protowire.Number, s string) []byte { return text(nil, number, s) }

func count(n protowire.Number, v uint64) []byte { return number(nil, n, v) }

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		give []byte
		want Response
	}{
		"join": {
			inner(1, inner(1, word(1, "RM_x")), word(4, "1.0.0"), inner(5, word(1, "turn:h:3478"), word(1, "turns:h:5349"), word(2, "u"), word(3, "p")),
				inner(5), count(6, 1), inner(12, word(2, "1.13.5")), count(99, 7)),
			Response{Join: &Join{Version: "1.13.5", ICEServers: []ICEServer{{URLs: []string{"turn:h:3478", "turns:h:5349"}, Username: "u", Credential: "p"}}}},
		},
		"join of an old version":     {inner(1, word(4, "1.0.0")), Response{Join: &Join{Version: "1.0.0"}}},
		"join elsewhere":             {inner(1, word(7, "wss://other")), Response{Join: &Join{Elsewhere: true}}},
		"answer":                     {inner(2, word(1, "answer"), word(2, "v=0")), Response{Answer: &Description{Type: "answer", SDP: "v=0"}}},
		"offer":                      {inner(3, word(1, "offer"), word(2, "v=0"), count(3, 9)), Response{Offer: &Description{Type: "offer", SDP: "v=0", ID: 9}}},
		"trickle":                    {inner(4, word(1, `{"candidate":"candidate:1","sdpMid":"0"}`), count(2, 1)), Response{Trickle: &Trickle{Candidate: "candidate:1", Target: Subscriber}}},
		"published":                  {inner(6, word(1, "voice"), inner(2, word(1, "TR_x"))), Response{Published: &Published{SID: "TR_x"}}},
		"mute":                       {inner(9, word(1, "TR_x"), count(2, 1)), Response{Mute: &Mute{SID: "TR_x", Muted: true}}},
		"leave":                      {inner(8, count(2, 4)), Response{Leave: &Leave{Reason: 4}}},
		"an unknown message":         {inner(31, word(1, "x")), Response{}},
		"nothing":                    {nil, Response{}},
		"a number instead of a text": {count(2, 5), Response{Answer: &Description{}}},
	} {
		got, err := Parse(c.give)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, error %v; want %+v", name, got, err, c.want)
		}
	}
}

func TestNoMessage(t *testing.T) {
	for name, b := range map[string][]byte{
		"HTML":                []byte("<html><body>"),
		"cut off":             inner(2, word(2, "v=0"))[:4],
		"a truncated text":    {0x12, 0xff, 0xff, 0xff, 0x0f},
		"huge":                inner(2, word(2, strings.Repeat("x", maxText+1))),
		"a candidate as text": inner(4, word(1, "candidate:1")),
	} {
		if _, err := Parse(b); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: got error %v, want %v", name, err, ErrMessage)
		}
	}
}

func TestBoundsOfAJoin(t *testing.T) {
	server := inner(5, word(1, "stun:h"))
	for range maxURLs {
		server = append(server[:len(server):len(server)], inner(5, word(1, "stun:h"), word(1, "stun:i"))...)
	}
	r, err := Parse(message(1, server))
	if err != nil || len(r.Join.ICEServers) != maxICEServers {
		t.Errorf("got %+v, error %v; want %d servers", r.Join, err, maxICEServers)
	}
}

// TestMessagesOfAParticipant: the messages of a participant use the field numbers of
// livekit_rtc.proto, so that a server can parse them.
func TestMessagesOfAParticipant(t *testing.T) {
	for name, c := range map[string]struct{ got, want []byte }{
		"offer":     {Offer("v=0"), inner(1, word(1, "offer"), word(2, "v=0"))},
		"answer":    {Answer("v=0", 3), inner(2, word(1, "answer"), word(2, "v=0"), count(3, 3))},
		"subscribe": {Subscribe("TR_x"), inner(6, word(1, "TR_x"), count(2, 1))},
		"track":     {AddTrack("voice"), inner(4, word(1, "voice"), word(2, "tonprobe"), count(3, 0), count(8, 2), count(13, 1))},
		"goodbye":   {Goodbye(), inner(8, count(2, 1))},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: got %x, want %x", name, c.got, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(inner(1, word(4, "1"), inner(5, word(1, "turn:h"), word(2, "u"), word(3, "p"))))
	f.Add(inner(4, word(1, `{"candidate":""}`)))
	f.Add(inner(3, word(1, "offer"), count(3, 1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Parse(b)
		if err != nil && !errors.Is(err, ErrMessage) {
			t.Errorf("error of an unexpected type: %v", err)
		}
		if r.Join != nil && len(r.Join.ICEServers) > maxICEServers {
			t.Error("accepted too many servers")
		}
	})
}
