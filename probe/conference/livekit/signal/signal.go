// Package signal is the part of LiveKit's signalling that a check uses: messages in
// protocol buffers (livekit_rtc.proto of github.com/livekit/protocol), one per
// WebSocket frame. Importing that module would make this program 19 MB larger.
package signal

import (
	"encoding/json"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Protocol is the version of the protocol of these messages.
const Protocol = 13

// Limits of messages from a server.
const (
	maxICEServers = 8
	maxURLs       = 8
	maxText       = 1 << 16 // an SDP of LiveKit has a few kilobytes
)

// ErrMessage means that a message is not a response of a LiveKit.
var ErrMessage = errors.New("not a valid LiveKit message")

// Target is one of the two connections of a participant.
type Target uint64

// The connections of a participant.
const (
	Publisher  Target = 0 // offered by the participant
	Subscriber Target = 1 // offered by the server
)

// Numbers of the fields of SignalRequest and SignalResponse.
const (
	fieldOfferUp   protowire.Number = 1
	fieldAnswerUp  protowire.Number = 2
	fieldTrickleUp protowire.Number = 3
	fieldAddTrack  protowire.Number = 4
	fieldSubscribe protowire.Number = 6
	fieldLeaveUp   protowire.Number = 8

	fieldJoin      protowire.Number = 1
	fieldAnswer    protowire.Number = 2
	fieldOffer     protowire.Number = 3
	fieldTrickle   protowire.Number = 4
	fieldPublished protowire.Number = 6
	fieldLeave     protowire.Number = 8
	fieldMute      protowire.Number = 9
)

// Response is a message of the server. At most one of its fields is set; none is set for a
// message that a check does not need.
type Response struct {
	Join      *Join
	Answer    *Description
	Offer     *Description
	Trickle   *Trickle
	Published *Published
	Mute      *Mute
	Leave     *Leave
}

// Join is the server's response to a join.
type Join struct {
	Version    string
	ICEServers []ICEServer
	// Elsewhere is true if the server redirects the participant to another one.
	Elsewhere bool
}

// ICEServer is one STUN or TURN server.
type ICEServer struct {
	URLs                 []string
	Username, Credential string
}

// Description is an offer or an answer. ID belongs to an offer; its answer repeats it.
type Description struct {
	Type, SDP string
	ID        uint64
}

// Trickle is one address of the other end.
type Trickle struct {
	Candidate string
	Target    Target
}

// Published contains the server's name of a stream.
type Published struct{ SID string }

// Mute requests to mute or unmute a stream.
type Mute struct {
	SID   string
	Muted bool
}

// Leave removes the participant. Reason is a DisconnectReason of livekit_models.proto.
type Leave struct{ Reason uint64 }

// Offer is the offer of the publisher's connection.
func Offer(sdp string) []byte {
	return message(fieldOfferUp, description(Description{Type: "offer", SDP: sdp}))
}

// Answer answers an offer of the server.
func Answer(sdp string, id uint64) []byte {
	return message(fieldAnswerUp, description(Description{Type: "answer", SDP: sdp, ID: id}))
}

// AddTrack announces the stream of an offer by its name in the offer, as a microphone.
func AddTrack(id string) []byte {
	const kindAudio, sourceMicrophone = 0, 2
	b := text(nil, 1, id)
	b = text(b, 2, "tonprobe")
	b = number(b, 3, kindAudio)
	b = number(b, 8, sourceMicrophone)
	// Without redundancy (RFC 2198), which would hide loss.
	b = number(b, 13, 1)
	return message(fieldAddTrack, b)
}

// Subscribe requests one stream (UpdateSubscription), for a participant that does not
// receive all of them.
func Subscribe(sid string) []byte {
	return message(fieldSubscribe, number(text(nil, 1, sid), 2, 1))
}

// Goodbye leaves at once; otherwise the server would wait for the participant.
func Goodbye() []byte {
	const reasonClientInitiated = 1
	return message(fieldLeaveUp, number(nil, 2, reasonClientInitiated))
}

func description(d Description) []byte {
	b := text(nil, 1, d.Type)
	b = text(b, 2, d.SDP)
	if d.ID != 0 {
		b = number(b, 3, d.ID)
	}
	return b
}

func message(field protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), content)
}

func text(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func number(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

// Parse parses a message of the server. Every error is an ErrMessage.
func Parse(b []byte) (Response, error) {
	var r Response
	err := fields(b, func(f field) error {
		switch f.number {
		case fieldJoin:
			r.Join = &Join{}
			return r.Join.parse(f.bytes)
		case fieldAnswer:
			r.Answer = &Description{}
			return r.Answer.parse(f.bytes)
		case fieldOffer:
			r.Offer = &Description{}
			return r.Offer.parse(f.bytes)
		case fieldTrickle:
			r.Trickle = &Trickle{}
			return r.Trickle.parse(f.bytes)
		case fieldPublished:
			r.Published = &Published{}
			return r.Published.parse(f.bytes)
		case fieldMute:
			r.Mute = &Mute{}
			return r.Mute.parse(f.bytes)
		case fieldLeave:
			r.Leave = &Leave{}
			return r.Leave.parse(f.bytes)
		}
		return nil
	})
	return r, err
}

func (j *Join) parse(b []byte) error {
	return fields(b, func(f field) error {
		switch f.number {
		case 4: // server_version, in versions without server_info
			if j.Version == "" {
				j.Version = string(f.bytes)
			}
		case 5:
			var s ICEServer
			if err := s.parse(f.bytes); err != nil {
				return err
			}
			if len(j.ICEServers) < maxICEServers && len(s.URLs) > 0 {
				j.ICEServers = append(j.ICEServers, s)
			}
		case 7:
			j.Elsewhere = len(f.bytes) > 0
		case 12:
			return fields(f.bytes, func(f field) error {
				if f.number == 2 && len(f.bytes) > 0 {
					j.Version = string(f.bytes)
				}
				return nil
			})
		}
		return nil
	})
}

func (s *ICEServer) parse(b []byte) error {
	return fields(b, func(f field) error {
		switch f.number {
		case 1:
			if len(s.URLs) < maxURLs && len(f.bytes) > 0 {
				s.URLs = append(s.URLs, string(f.bytes))
			}
		case 2:
			s.Username = string(f.bytes)
		case 3:
			s.Credential = string(f.bytes)
		}
		return nil
	})
}

func (d *Description) parse(b []byte) error {
	return fields(b, func(f field) error {
		switch f.number {
		case 1:
			d.Type = string(f.bytes)
		case 2:
			d.SDP = string(f.bytes)
		case 3:
			d.ID = f.value
		}
		return nil
	})
}

func (t *Trickle) parse(b []byte) error {
	return fields(b, func(f field) error {
		switch f.number {
		case 1:
			// RTCIceCandidateInit of the W3C as JSON.
			var c struct {
				Candidate string `json:"candidate"`
			}
			if err := json.Unmarshal(f.bytes, &c); err != nil {
				return fmt.Errorf("%w: a candidate that is not JSON", ErrMessage)
			}
			t.Candidate = c.Candidate
		case 2:
			t.Target = Target(f.value)
		}
		return nil
	})
}

func (p *Published) parse(b []byte) error {
	return fields(b, func(f field) error {
		if f.number != 2 {
			return nil
		}
		return fields(f.bytes, func(f field) error {
			if f.number == 1 {
				p.SID = string(f.bytes)
			}
			return nil
		})
	})
}

func (m *Mute) parse(b []byte) error {
	return fields(b, func(f field) error {
		switch f.number {
		case 1:
			m.SID = string(f.bytes)
		case 2:
			m.Muted = f.value != 0
		}
		return nil
	})
}

func (l *Leave) parse(b []byte) error {
	return fields(b, func(f field) error {
		if f.number == 2 {
			l.Reason = f.value
		}
		return nil
	})
}

// field is one field of a message: bytes contains a text or an embedded message, value a
// number.
type field struct {
	number protowire.Number
	bytes  []byte
	value  uint64
}

// fields calls use for each field of a message, in order. A field of another type than
// expected is empty, as for every parser of protocol buffers.
func fields(b []byte, use func(field) error) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return fmt.Errorf("%w: %w", ErrMessage, protowire.ParseError(n))
		}
		b = b[n:]
		f := field{number: number}
		switch kind {
		case protowire.VarintType:
			f.value, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return fmt.Errorf("%w: %w", ErrMessage, protowire.ParseError(n))
		}
		if len(f.bytes) > maxText {
			return fmt.Errorf("%w: a field of %d bytes", ErrMessage, len(f.bytes))
		}
		b = b[n:]
		if err := use(f); err != nil {
			return err
		}
	}
	return nil
}
