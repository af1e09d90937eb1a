package collector

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
)

// ErrNoCertificate says that a file named with --ca holds no certificate.
var ErrNoCertificate = errors.New("holds no certificate in PEM form")

// ReadCA returns the certificates in a PEM file and nothing else that stands in
// it, such as a key; "" when file is empty.
func ReadCA(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	rest, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read certificate file: %w", err)
	}
	var certificates bytes.Buffer
	for block, rest := pem.Decode(rest); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		if _, err := x509.ParseCertificate(block.Bytes); err == nil {
			certificates.Write(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes}))
		}
	}
	if certificates.Len() == 0 {
		return "", fmt.Errorf("certificate file %s %w", file, ErrNoCertificate)
	}
	return certificates.String(), nil
}

// RootCAs returns the system's roots and those given in PEM form; nil, which
// means the system's roots alone, when there are none.
func RootCAs(certificates string) *x509.CertPool {
	if certificates == "" {
		return nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pool.AppendCertsFromPEM([]byte(certificates))
	return pool
}
