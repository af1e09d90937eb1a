package whip

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Lifetimes of tokens. The clock of the endpoint may be behind by up to backdate. A token
// that is valid for longer than maxLife was not made by a collector.
const (
	life     = 4 * time.Minute
	backdate = time.Minute
	maxLife  = time.Hour
)

// audience is the audience claim of a token (RFC 7519 §4.1.3).
const audience = "whip"

// ErrToken means that a token is not valid.
var ErrToken = errors.New("the token is not valid")

// claims are the contents of a token.
type claims struct {
	Audience  string `json:"aud"`
	Subject   string `json:"sub"`
	NotBefore int64  `json:"nbf"`
	Expires   int64  `json:"exp"`
}

const header = `{"alg":"HS256","typ":"JWT"}`

// Token returns a token for one check: a JSON Web Token (RFC 7519) with HMAC SHA-256. It
// also serves to check other endpoints that accept such tokens.
func Token(secret []byte, now time.Time) (string, error) {
	body, err := json.Marshal(claims{audience, "tonprobe-" + rand.Text(), now.Add(-backdate).Unix(), now.Add(life).Unix()})
	if err != nil {
		return "", fmt.Errorf("create a token: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(body)
	return text + "." + base64.RawURLEncoding.EncodeToString(sum(text, secret)), nil
}

func sum(text string, secret []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// Verify returns the subject of a token, or an error that wraps ErrToken. Algorithms
// other than HMAC SHA-256, in particular "none", are not accepted (RFC 8725 §3.1).
func Verify(token string, secret []byte, now time.Time) (subject string, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || len(secret) == 0 {
		return "", fmt.Errorf("%w: it does not have three parts", ErrToken)
	}
	raw := make([][]byte, len(parts))
	for i, p := range parts {
		if raw[i], err = base64.RawURLEncoding.DecodeString(p); err != nil {
			return "", fmt.Errorf("%w: part %d is malformed", ErrToken, i)
		}
	}
	if !hmac.Equal(raw[2], sum(parts[0]+"."+parts[1], secret)) {
		return "", fmt.Errorf("%w: it was signed with another secret", ErrToken)
	}
	var h struct {
		Algorithm string `json:"alg"`
	}
	var c claims
	if json.Unmarshal(raw[0], &h) != nil || json.Unmarshal(raw[1], &c) != nil || h.Algorithm != "HS256" {
		return "", fmt.Errorf("%w: its contents are malformed", ErrToken)
	}
	at := now.Unix()
	switch {
	case c.Audience != audience || c.Subject == "" || len(c.Subject) > 128:
		return "", fmt.Errorf("%w: it is for another use", ErrToken)
	case at < c.NotBefore:
		return "", fmt.Errorf("%w: it is not valid yet; compare the clocks", ErrToken)
	case at >= c.Expires || c.Expires-at > int64(maxLife/time.Second):
		return "", fmt.Errorf("%w: it has expired; compare the clocks", ErrToken)
	}
	return c.Subject, nil
}
