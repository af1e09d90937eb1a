package auth

import (
	"crypto/hmac"
	"crypto/sha1" // of RFC 6238; authenticator apps support no other
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"time"
)

// Time-based one-time passwords (RFC 6238 with the parameters that every authenticator app supports).
const (
	totpPeriod      = 30 * time.Second
	totpDigits      = 6
	totpModulus     = 1_000_000
	totpSecretBytes = 20 // RFC 4226 §4, requirement 6
	// totpSkew is the number of steps before and after the present one that are accepted
	// (RFC 6238 §5.2), for clocks that differ and for the time to type.
	totpSkew   = 1
	totpIssuer = "Tonprobe"
)

// totpStep is the number of a period (RFC 6238 §4.2).
func totpStep(now time.Time) int64 { return now.Unix() / int64(totpPeriod/time.Second) }

// totpCode is the code of a step (RFC 4226 §5.3).
func totpCode(secret []byte, step int64) string {
	var message [8]byte
	binary.BigEndian.PutUint64(message[:], uint64(step))
	mac := hmac.New(sha1.New, secret)
	mac.Write(message[:])
	sum := mac.Sum(nil)
	truncated := binary.BigEndian.Uint32(sum[sum[len(sum)-1]&0xf:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", totpDigits, truncated%totpModulus)
}

// matchTOTP returns the step that a code belongs to, the present one first.
func matchTOTP(secret []byte, code string, now time.Time) (step int64, ok bool) {
	present := totpStep(now)
	for _, delta := range []int64{0, -totpSkew, totpSkew} {
		if subtle.ConstantTimeCompare([]byte(totpCode(secret, present+delta)), []byte(code)) == 1 {
			return present + delta, true
		}
	}
	return 0, false
}

// totpText is a secret as people type it into an app.
func totpText(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

// totpAddress is the address in the QR code, in the format of the apps:
// https://github.com/google/google-authenticator/wiki/Key-Uri-Format
func totpAddress(name string, secret []byte) string {
	return "otpauth://totp/" + url.PathEscape(totpIssuer+":"+name) + "?" +
		url.Values{"secret": {totpText(secret)}, "issuer": {totpIssuer}}.Encode()
}
