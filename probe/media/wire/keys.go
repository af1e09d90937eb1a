package wire

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// HeaderKeys asks a collector for its keys, and holds the answer. In a request it
// is a nonce, so that no old answer passes for a new one.
const HeaderKeys = "Tonprobe-Keys"

// Bounds of what the header holds.
const (
	maxNonceBytes = 64
	maxKeysBytes  = 4 << 10
	maxKeys       = 16
)

// Keys is what a collector says of its own TLS, signed by a key that it keeps for
// this alone. Whoever opens TLS on the way can pass it on and cannot change it, so
// that an agent that knows the signing key sees which certificate the collector
// really used, whoever issued it and however often it was renewed.
//
// All keys are pins as in RFC 7469 §2.4: the SHA-256 of a SubjectPublicKeyInfo, in
// base64url without padding.
type Keys struct {
	// Collector is the key that signs, in base64url.
	Collector string `json:"id"`
	// Leaf are the keys of the certificates that the collector served since it
	// started. Empty: something before it does TLS.
	Leaf []string `json:"leaf,omitempty"`
	// CA are the keys of the collector's own authority: the one in use and the one
	// that follows it. Empty: its certificate comes from elsewhere.
	CA []string `json:"ca,omitempty"`
}

// PinOf is the pin of a certificate's key.
func PinOf(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// PinOfKey is the pin of a public key.
func PinOfKey(public any) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", fmt.Errorf("encode a public key: %w", err)
	}
	sum := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

// ValidNonce says whether s may stand in a request.
func ValidNonce(s string) bool {
	return s != "" && len(s) <= maxNonceBytes && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
	})
}

// Sign makes the answer to a request with nonce.
func (k Keys) Sign(key ed25519.PrivateKey, nonce string) (string, error) {
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return "", fmt.Errorf("sign keys: no Ed25519 key")
	}
	k.Collector = base64.RawURLEncoding.EncodeToString(public)
	body, err := json.Marshal(k)
	if err != nil {
		return "", fmt.Errorf("sign keys: %w", err)
	}
	signature := ed25519.Sign(key, signedText(nonce, body))
	return base64.RawURLEncoding.EncodeToString(body) + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// signedText keeps a signature from meaning anything in another place.
func signedText(nonce string, body []byte) []byte {
	return bytes.Join([][]byte{[]byte("tonprobe keys v1"), []byte(nonce), body}, []byte{'\n'})
}

// ParseKeys reads an answer to a request with nonce and verifies that the key it
// names has signed it. Whether that key is the right collector's is for the caller
// to say.
func ParseKeys(header, nonce string) (k Keys, ok bool) {
	first, second, cut := strings.Cut(header, ".")
	if !cut || len(header) > maxKeysBytes || !ValidNonce(nonce) {
		return Keys{}, false
	}
	body, err := base64.RawURLEncoding.DecodeString(first)
	signature, err2 := base64.RawURLEncoding.DecodeString(second)
	if err != nil || err2 != nil || json.Unmarshal(body, &k) != nil {
		return Keys{}, false
	}
	public, err := base64.RawURLEncoding.DecodeString(k.Collector)
	if err != nil || len(public) != ed25519.PublicKeySize || !ed25519.Verify(public, signedText(nonce, body), signature) {
		return Keys{}, false
	}
	if len(k.Leaf) > maxKeys || len(k.CA) > maxKeys || slices.ContainsFunc(k.Leaf, notAPin) || slices.ContainsFunc(k.CA, notAPin) {
		return Keys{}, false
	}
	return k, true
}

func notAPin(s string) bool {
	b, err := base64.RawURLEncoding.DecodeString(s)
	return err != nil || len(b) != sha256.Size
}
