// Package cert provides the collector's certificate: from files that are renewed externally, or
// its own.
package cert

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Source provides the certificate to use at present.
type Source interface {
	Certificate() (*tls.Certificate, error)
	// Keys returns the keys by which agents may recognise the certificates.
	Keys() wire.Keys
}

// TLS returns the configuration for a source: TLS 1.2 and 1.3 with the curves of BSI TR-02102-2 and
// X25519, alone and in its post-quantum hybrid.
func TLS(s Source) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		// For TLS 1.2 only the suites of BSI TR-02102-2, table 1: forward secrecy and authenticated
		// encryption. Go's defaults include CBC.
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		},
		CurvePreferences: []tls.CurveID{tls.X25519MLKEM768, tls.X25519,
			tls.CurveP256, tls.CurveP384, tls.CurveP521},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.Certificate() },
	}
}

// checkEvery is the interval at which files are checked for changes.
const checkEvery = time.Minute

// files reads a certificate again after its renewal.
type files struct {
	certFile, keyFile string
	log               *slog.Logger
	now               func() time.Time

	mu      sync.Mutex
	cert    *tls.Certificate
	state   [2]time.Time // modification times of the files when cert was read
	checked time.Time
	served  served
}

// FromFiles reads a PEM certificate with its chain, and its key. A renewed one is used within a
// minute; if it cannot be read, the old one remains in use.
func FromFiles(certFile, keyFile string, log *slog.Logger, now func() time.Time) (Source, error) {
	f := &files{certFile: certFile, keyFile: keyFile, log: log, now: now, checked: now()}
	state, err := f.modified()
	if err != nil {
		return nil, err
	}
	return f, f.load(state)
}

func (f *files) Certificate() (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if now.Sub(f.checked) < checkEvery {
		return f.cert, nil
	}
	f.checked = now
	state, err := f.modified()
	if err == nil && state != f.state {
		if err = f.load(state); err == nil {
			f.log.Info("certificate renewed", "file", f.certFile)
		}
	}
	if err != nil {
		f.log.Error("certificate not renewed, the old one remains in use", "err", err)
	}
	return f.cert, nil
}

// Keys returns the keys of the certificates served so far. Those of their issuer are not
// announced.
func (f *files) Keys() wire.Keys {
	f.mu.Lock()
	defer f.mu.Unlock()
	return wire.Keys{Leaf: f.served.list()}
}

func (f *files) modified() (state [2]time.Time, err error) {
	for i, name := range []string{f.certFile, f.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return state, fmt.Errorf("read certificate: %w", err)
		}
		state[i] = info.ModTime()
	}
	return state, nil
}

func (f *files) load(state [2]time.Time) error {
	c, err := tls.LoadX509KeyPair(f.certFile, f.keyFile)
	if err != nil {
		return fmt.Errorf("read certificate %s with key %s: %w", f.certFile, f.keyFile, err)
	}
	f.cert, f.state = &c, state
	f.served.add(c.Leaf)
	return nil
}
