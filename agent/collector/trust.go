package collector

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// ErrNoCertificate says that a file named with --ca holds no certificate.
var ErrNoCertificate = errors.New("holds no certificate in PEM form")

// RootCAs returns the system's roots and those in the PEM file; nil, which
// means the system's roots alone, when file is empty.
func RootCAs(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read certificate file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("certificate file %s %w", file, ErrNoCertificate)
	}
	return pool, nil
}
