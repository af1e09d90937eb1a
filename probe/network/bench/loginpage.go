package bench

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// loginPage is a guest network's: it leads every request to itself, and on the
// encrypted port shows a certificate of its own.
type loginPage struct{ servers []*http.Server }

// listenPortal binds addr in the calling thread's namespace.
func listenPortal(addr netip.Addr) (serve func(), page *loginPage, err error) {
	plain, err := net.Listen("tcp4", netip.AddrPortFrom(addr, portalPlainPort).String())
	if err != nil {
		return nil, nil, err
	}
	secure, err := net.Listen("tcp4", netip.AddrPortFrom(addr, portalTLSPort).String())
	if err != nil {
		_ = plain.Close()
		return nil, nil, err
	}
	cert, err := portalCertificate()
	if err != nil {
		_, _ = plain.Close(), secure.Close()
		return nil, nil, err
	}
	page = &loginPage{}
	for range 2 {
		page.servers = append(page.servers, &http.Server{
			Handler: http.HandlerFunc(leadToLogin), ReadHeaderTimeout: 5 * time.Second,
			ErrorLog:  log.New(io.Discard, "", 0), // refused certificates are what it is for
			TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}},
		})
	}
	return func() {
		go func() { _ = page.servers[0].Serve(plain) }()
		go func() { _ = page.servers[1].ServeTLS(secure, "", "") }()
	}, page, nil
}

func leadToLogin(w http.ResponseWriter, r *http.Request) {
	const host = "login.hotel.example"
	if r.Host == host {
		_, _ = io.WriteString(w, "<html><title>Guest network</title>Please log in.</html>")
		return
	}
	http.Redirect(w, r, "http://"+host+"/", http.StatusFound)
}

func (p *loginPage) close() {
	for _, s := range p.servers {
		_ = s.Close()
	}
}

func portalCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make the portal's key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "login.hotel.example"}, DNSNames: []string{"login.hotel.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make the portal's certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
