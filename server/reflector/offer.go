package reflector

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// MaxOfferBytes is the maximum length of an offer. A browser's offer with one audio line and
// a dozen candidates has 3 kB.
const MaxOfferBytes = 32 << 10

// offer contains the parts of an SDP offer that the echo needs. Everything else is ignored,
// including the candidates: an ICE-lite agent answers every peer that knows the password.
type offer struct {
	mid, ufrag, pwd string
	fingerprint     string // of SHA-256, as colon-separated hex
	setup           string // actpass, active or passive
	payloadType     uint8  // the offer's payload type of Opus
	ssrc            uint32 // 0 if the offer contains none
	loopback        bool   // the client can use loopback
}

// parseOffer parses an offer with exactly one media section, audio, sending Opus.
func parseOffer(text string) (offer, error) {
	if len(text) > MaxOfferBytes {
		return offer{}, fmt.Errorf("%d bytes, at most %d allowed", len(text), MaxOfferBytes)
	}
	var s sdp.SessionDescription
	if err := s.UnmarshalString(text); err != nil {
		return offer{}, fmt.Errorf("not valid SDP: %w", err)
	}
	if len(s.MediaDescriptions) != 1 {
		return offer{}, fmt.Errorf("%d m-lines, want one", len(s.MediaDescriptions))
	}
	m := s.MediaDescriptions[0]
	if m.MediaName.Media != "audio" || m.MediaName.Port.Value == 0 {
		return offer{}, fmt.Errorf("no audio offered")
	}
	if _, lite := s.Attribute("ice-lite"); lite {
		return offer{}, fmt.Errorf("both sides are ICE-lite: neither would start")
	}
	attribute := func(name string) string {
		if v, ok := m.Attribute(name); ok {
			return v
		}
		v, _ := s.Attribute(name)
		return v
	}
	o := offer{
		mid: attribute("mid"), ufrag: attribute("ice-ufrag"), pwd: attribute("ice-pwd"),
		setup: attribute("setup"),
	}
	var err error
	if o.fingerprint, err = sha256Fingerprint(attribute("fingerprint")); err != nil {
		return offer{}, err
	}
	if o.payloadType, err = opusPayloadType(m); err != nil {
		return offer{}, err
	}
	if v, ok := m.Attribute("ssrc"); ok {
		id, _, _ := strings.Cut(v, " ")
		n, err := strconv.ParseUint(id, 10, 32)
		if err != nil {
			return offer{}, fmt.Errorf("ssrc %.20q is not a number", id)
		}
		o.ssrc = uint32(n)
	}
	return o, o.check()
}

func (o offer) check() error {
	switch {
	case !isToken(o.mid, 0, 32):
		return fmt.Errorf("mid is not a token")
	case !isICEChars(o.ufrag, 4, 256): // RFC 8839 §5.4
		return fmt.Errorf("ice-ufrag is malformed")
	case !isICEChars(o.pwd, 22, 256):
		return fmt.Errorf("ice-pwd is malformed")
	case o.setup != "actpass" && o.setup != "active" && o.setup != "passive":
		return fmt.Errorf("setup must be actpass, active or passive")
	}
	return nil
}

func isICEChars(s string, least, most int) bool {
	return within(s, least, most, "+/")
}

func isToken(s string, least, most int) bool {
	return within(s, least, most, "-_.{}")
}

func within(s string, least, most int, extra string) bool {
	if len(s) < least || len(s) > most {
		return false
	}
	for _, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && strings.IndexByte(extra, c) < 0 {
			return false
		}
	}
	return true
}

func sha256Fingerprint(v string) (string, error) {
	kind, value, _ := strings.Cut(v, " ")
	if !strings.EqualFold(kind, "sha-256") {
		return "", fmt.Errorf("no sha-256 fingerprint")
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(value, ":", ""))
	if err != nil || len(raw) != 32 || len(value) != 95 {
		return "", fmt.Errorf("fingerprint is malformed")
	}
	return value, nil
}

func opusPayloadType(m *sdp.MediaDescription) (uint8, error) {
	for _, a := range m.Attributes {
		if a.Key != "rtpmap" {
			continue
		}
		number, codec, _ := strings.Cut(a.Value, " ")
		n, err := strconv.ParseUint(number, 10, 7)
		if err == nil && n >= 96 && strings.EqualFold(codec, "opus/48000/2") {
			return uint8(n), nil
		}
	}
	return 0, fmt.Errorf("no Opus offered")
}

// weAreClient reports which DTLS role is ours: if the offer leaves it open, the answerer is
// active (RFC 8842 §5.3).
func (o offer) weAreClient() bool { return o.setup != "active" }

// offersLoopback reports whether the client can use loopback. Only then does the answer
// contain loopback addresses.
func offersLoopback(text string) bool {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) > 4 && strings.HasPrefix(line, "a=candidate:") &&
			(strings.HasPrefix(fields[4], "127.") || fields[4] == "::1") {
			return true
		}
	}
	return false
}
