package cert

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// maxServed is the number of remembered certificate keys. A connection may be older than the
// current certificate, but hardly older than eight of them.
const maxServed = 8

// served contains the keys of the certificates that were used since the start, the newest last.
type served struct{ pins []string }

func (s *served) add(c *x509.Certificate) {
	pin := wire.PinOf(c)
	if slices.Contains(s.pins, pin) {
		return
	}
	s.pins = append(s.pins, pin)
	if len(s.pins) > maxServed {
		s.pins = s.pins[1:]
	}
}

func (s *served) list() []string { return slices.Clone(s.pins) }

// identityName is the file of the key that signs the announcement.
const identityName = "identity"

// Announcer announces the keys of the collector's TLS to agents, signed by a key that is used for
// nothing else. Agents learn that key at enrolment.
type Announcer struct {
	key    ed25519.PrivateKey
	source Source // nil if a reverse proxy terminates TLS
	log    *slog.Logger
}

// NewAnnouncer stores the signing key in dir.
func NewAnnouncer(dir string, source Source, log *slog.Logger) (*Announcer, error) {
	key, err := Identity(dir)
	if err != nil {
		return nil, err
	}
	return &Announcer{key, source, log}, nil
}

// Identity returns the signing key in dir. It creates one if there is none.
func Identity(dir string) (ed25519.PrivateKey, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("store the collector's identity: %w", err)
	}
	b, err := os.ReadFile(filepath.Join(dir, identityName+".key"))
	if errors.Is(err, fs.ErrNotExist) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err == nil {
			err = writeKey(dir, identityName, key)
		}
		if err != nil {
			return nil, fmt.Errorf("create the collector's identity: %w", err)
		}
		return key, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the collector's identity: %w", err)
	}
	signer, err := parseKey(identityName, b)
	if err != nil {
		return nil, err
	}
	key, ok := signer.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("read %s.key: no Ed25519 key", identityName)
	}
	return key, nil
}

// Handler adds the keys to the response of each request that asks for them.
func (a *Announcer) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if nonce := r.Header.Get(wire.HeaderKeys); wire.ValidNonce(nonce) {
			a.announce(w.Header(), nonce)
		}
		next.ServeHTTP(w, r)
	})
}

func (a *Announcer) announce(h http.Header, nonce string) {
	var keys wire.Keys
	if a.source != nil {
		keys = a.source.Keys()
	}
	signed, err := keys.Sign(a.key, nonce)
	if err != nil {
		a.log.Error("keys not announced", "err", err)
		return
	}
	h.Set(wire.HeaderKeys, signed)
}
