package collector

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// ErrNoCertificate means that a file given with --ca contains no certificate.
var ErrNoCertificate = errors.New("contains no certificate in PEM form")

// ReadCA returns the certificates in a PEM file without its other content, such as a
// key. It returns "" if file is empty.
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

// RootCAs returns the system's roots and the given certificates in PEM form. It
// returns nil, which means the system's roots alone, if there are none.
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

// maxAuthorities is the number of stored certificates of a collector's authority. One
// is given at enrolment, and renewals are years apart, so more indicates a fault.
const maxAuthorities = 8

// WithAuthorities adds certificates in PEM form, and removes the oldest ones beyond
// maxAuthorities.
func WithAuthorities(certificates string, more []*x509.Certificate) string {
	if len(more) == 0 {
		return certificates
	}
	var all []string
	add := func(der []byte) {
		one := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
		if !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	for block, rest := pem.Decode([]byte(certificates)); block != nil; block, rest = pem.Decode(rest) {
		add(block.Bytes)
	}
	for _, c := range more {
		add(c.Raw)
	}
	return strings.Join(all[max(0, len(all)-maxAuthorities):], "")
}
