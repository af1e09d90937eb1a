package target

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // as used by BigBlueButton: of a checksum with a secret
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"time"
)

// defaultHash is a secure hash that every BigBlueButton from 2.4 on accepts.
const defaultHash = "sha256"

// hashes contains the hashes of BigBlueButton's checksum, by name.
func hashes() map[string]func() hash.Hash {
	return map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New}
}

func hashNames() []string { return []string{"sha1", "sha256", "sha384", "sha512"} }

// checksum signs a call of BigBlueButton's API: the hash of name, query and secret. The name of the hash
// must be known; "" means defaultHash.
func checksum(name, call, query, secret string) string {
	h := hashes()[cmp.Or(name, defaultHash)]()
	h.Write([]byte(call + query + secret))
	return hex.EncodeToString(h.Sum(nil))
}

// Validity of a LiveKit access token. LiveKit's clock may be behind the collector's by up
// to tokenBackdate, and ahead by the part of tokenLife that a check does not need.
const (
	tokenLife     = 4 * time.Minute
	tokenBackdate = time.Minute
)

// grant contains the permissions of a LiveKit token (docs.livekit.io,
// "Authentication"). LiveKit treats an absent permission as granted.
type grant struct {
	Room           string `json:"room,omitempty"`
	RoomJoin       bool   `json:"roomJoin"`
	CanPublish     bool   `json:"canPublish"`
	CanSubscribe   bool   `json:"canSubscribe"`
	CanPublishData bool   `json:"canPublishData"`
}

// roomConfig configures the room that the first participant creates.
type roomConfig struct {
	EmptyTimeout     int `json:"emptyTimeout"`     // seconds until an empty room is closed
	DepartureTimeout int `json:"departureTimeout"` // seconds after the last participant has left
	MaxParticipants  int `json:"maxParticipants"`
}

// accessToken returns a token for LiveKit: a JSON Web Token (RFC 7519) with HMAC
// SHA-256.
func (t Target) accessToken(identity string, video grant, now time.Time) (string, error) {
	header, err := json.Marshal(map[string]string{"alg": "HS256", "typ": "JWT"})
	if err != nil {
		return "", fmt.Errorf("create a token: %w", err)
	}
	claims, err := json.Marshal(struct {
		Issuer    string     `json:"iss"`
		Subject   string     `json:"sub"`
		NotBefore int64      `json:"nbf"`
		Expires   int64      `json:"exp"`
		Video     grant      `json:"video"`
		Room      roomConfig `json:"roomConfig"`
	}{t.APIKey, identity, now.Add(-tokenBackdate).Unix(), now.Add(tokenLife).Unix(), video, roomConfig{10, 1, 2}})
	if err != nil {
		return "", fmt.Errorf("create a token: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	mac := hmac.New(sha256.New, []byte(t.APISecret))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}
