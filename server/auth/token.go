package auth

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/tonprobe/tonprobe/server/store"
)

const (
	tokenBytes = 32
	tokenChars = 43 // of tokenBytes in base64url without padding
)

// NewToken generates a token of 256 random bits and the hash to store.
func NewToken(random io.Reader) (token string, hash store.Hash, err error) {
	b := make([]byte, tokenBytes)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", hash, fmt.Errorf("generate a token: %w", err)
	}
	token = base64.RawURLEncoding.EncodeToString(b)
	return token, store.HashOf(token), nil
}

// BearerToken returns the hash of a request's token (RFC 6750 §2.1). ok is false if there is
// none, or if NewToken cannot have generated it.
func BearerToken(r *http.Request) (hash store.Hash, ok bool) {
	token, ok := Bearer(r)
	if !ok {
		return hash, false
	}
	return tokenHash(token)
}

// Bearer returns the token of a request, of whatever kind; ok is false if there is none.
func Bearer(r *http.Request) (token string, ok bool) {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(token), true
}

func tokenHash(token string) (hash store.Hash, ok bool) {
	if len(token) != tokenChars {
		return hash, false
	}
	return store.HashOf(token), true
}
