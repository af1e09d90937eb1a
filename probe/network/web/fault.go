package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/network/trust"
)

// dnsFault classifies a failed look-up, as in NetworkWeb.DNSError.
func dnsFault(err error) string {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return dnsTimeout
	}
	e, ok := errors.AsType[*net.DNSError](err)
	switch {
	case !ok:
		return dnsOther
	case e.IsNotFound:
		return dnsNotFound
	case e.IsTimeout:
		return dnsTimeout
	case strings.Contains(e.Err, "refused"), strings.Contains(e.Err, "server misbehaving"):
		return dnsRefused // REFUSED and SERVFAIL cannot be distinguished here; see explainName
	}
	return dnsOther
}

// tlsFault classifies a failed handshake, as in NetworkWeb.TLSError; "" if not TLS but the connection
// failed.
func tlsFault(err error) string {
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		return "expired"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "wrong_name"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "untrusted"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "untrusted"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "protocol"
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return "protocol"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		return "protocol" // an alert of the peer
	}
	if _, ok := errors.AsType[net.Error](err); ok || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return ""
	}
	if strings.HasPrefix(err.Error(), "tls: ") {
		return "protocol"
	}
	return ""
}

// handshake performs TLS with the server called name. shown contains the presented certificates, also
// if they are untrusted. conn is then open, for requests whose responses need no trust.
func handshake(ctx context.Context, under net.Conn, name string, roots *x509.CertPool, pins *trust.Pins) (conn *tls.Conn, shown trust.Contact, err error) {
	var untrusted error
	conn = tls.Client(under, &tls.Config{
		ServerName: name,
		NextProtos: []string{"http/1.1"},
		// The chain is verified below, by the same rules, so that an expired one can still show whether
		// this computer's clock is wrong.
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			shown.Chain = s.PeerCertificates
			shown.Verified, untrusted = pins.Verify(s.PeerCertificates, name, roots, time.Time{})
			return nil
		},
	})
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, shown, err
	}
	return conn, shown, untrusted
}
