package reflector

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// measurePrefix distinguishes a token for measurements from an agent's token, and its
// signature from the passwords of TURN, which have the same secret.
const measurePrefix = "measure."

// measureToken returns a token for the API's measurements that expires with the TURN
// credentials of user.
func (r *Reflector) measureToken(user string) string {
	return measurePrefix + base64.RawURLEncoding.EncodeToString([]byte(user)) + "." +
		base64.RawURLEncoding.EncodeToString(r.measureMAC(user))
}

func (r *Reflector) measureMAC(user string) []byte {
	mac := hmac.New(sha256.New, r.cfg.TURNSecret)
	mac.Write([]byte(measurePrefix + user))
	return mac.Sum(nil)
}

// MeasureOwner returns the owner of a token for measurements, if it is currently valid.
func (r *Reflector) MeasureOwner(token string) (owner string, ok bool) {
	rest, ok := strings.CutPrefix(token, measurePrefix)
	if !ok {
		return "", false
	}
	name, signature, _ := strings.Cut(rest, ".")
	user, err := base64.RawURLEncoding.DecodeString(name)
	if err != nil {
		return "", false
	}
	signed, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || !hmac.Equal(signed, r.measureMAC(string(user))) {
		return "", false
	}
	return r.relay.validOwner(string(user))
}
