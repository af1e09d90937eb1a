package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
)

// SealKeyBytes is the size of Config.SealKey.
const SealKeyBytes = 32

// errSeal means that a stored secret was sealed with another key, or changed.
var errSeal = errors.New("the stored secret cannot be opened with this collector's key")

// errNoSealKey means that this process does not have the key.
var errNoSealKey = errors.New("this process has no key for stored secrets")

// sealer encrypts secrets that have to be stored in a readable form, so that a copy of the database
// alone does not contain them.
type sealer struct {
	aead   cipher.AEAD // nil without a key
	random io.Reader
}

func newSealer(key []byte, random io.Reader) sealer {
	s := sealer{random: random}
	if len(key) != SealKeyBytes {
		return s
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return s // only for another size
	}
	s.aead, _ = cipher.NewGCM(block) // fails only for another block size
	return s
}

// seal encrypts a secret of a member. It cannot be opened as the secret of another member.
func (s sealer) seal(name string, secret []byte) (string, error) {
	if s.aead == nil {
		return "", errNoSealKey
	}
	nonce := make([]byte, s.aead.NonceSize())
	if _, err := io.ReadFull(s.random, nonce); err != nil {
		return "", fmt.Errorf("seal a secret: %w", err)
	}
	return base64.RawStdEncoding.EncodeToString(s.aead.Seal(nonce, nonce, secret, []byte(name))), nil
}

func (s sealer) open(name, sealed string) ([]byte, error) {
	if s.aead == nil {
		return nil, errNoSealKey
	}
	b, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil || len(b) < s.aead.NonceSize() {
		return nil, errSeal
	}
	secret, err := s.aead.Open(nil, b[:s.aead.NonceSize()], b[s.aead.NonceSize():], []byte(name))
	if err != nil {
		return nil, errSeal
	}
	return secret, nil
}
