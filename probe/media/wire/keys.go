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

// HeaderKeys requests the collector's keys, and contains the answer. In a request it is a nonce, which prevents
// replays.
const HeaderKeys = "Tonprobe-Keys"

// Limits of the header.
const (
	maxNonceBytes = 64
	maxKeysBytes  = 4 << 10
	maxKeys       = 16
)

// Keys describes the collector's TLS keys, signed by a key that is used for nothing else. A middlebox that
// intercepts TLS can forward it but not modify it, so an agent that knows the signing key can determine which
// certificate the collector used, independently of the issuer and of renewals.
//
// All keys are pins as in RFC 7469 §2.4: the SHA-256 of a SubjectPublicKeyInfo, in base64url without padding.
type Keys struct {
	// Collector is the signing key in base64url.
	Collector string `json:"id"`
	// Leaf contains the keys of the certificates that the collector has served since its start. Empty if a
	// reverse proxy terminates TLS.
	Leaf []string `json:"leaf,omitempty"`
	// CA contains the keys of the collector's own authority: the current and the next one. Empty if the
	// certificate has another issuer.
	CA []string `json:"ca,omitempty"`
}

// PinOf returns the pin of a certificate's key.
func PinOf(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// PinOfKey returns the pin of a public key.
func PinOfKey(public any) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", fmt.Errorf("encode a public key: %w", err)
	}
	sum := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

// ValidNonce reports whether s is allowed in a request.
func ValidNonce(s string) bool {
	return s != "" && len(s) <= maxNonceBytes && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
	})
}

// Sign returns the answer to a request with nonce.
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

// signedText adds a prefix so that the signature is valid in this context only.
func signedText(nonce string, body []byte) []byte {
	return bytes.Join([][]byte{[]byte("tonprobe keys v1"), []byte(nonce), body}, []byte{'\n'})
}

// ParseKeys parses an answer to a request with nonce and verifies its signature by the key it contains. The caller
// must verify that this key belongs to the right collector.
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
