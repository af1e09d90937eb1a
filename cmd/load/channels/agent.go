package channels

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// agent is a connected agent without a goroutine or a buffer: this process runs thousands
// of them.
type agent struct {
	*tls.Conn
	index int
}

// sites is the number of loopback addresses that the agents use, because the collector limits
// the connections of one address.
const sites = 16

// stepTime limits each step of a connection. It is long because the machine handles
// thousands of connections at once.
const stepTime = time.Minute

func connect(ctx context.Context, address, token string, index int) (*agent, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+index%sites))}, Timeout: stepTime}
	tcp, err := from.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	a := &agent{tls.Client(tcp, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}), index}
	if err := a.open(u.Host, token); err != nil {
		_ = a.Close()
		return nil, fmt.Errorf("connect agent %d: %w", index, err)
	}
	return a, nil
}

// open upgrades to a WebSocket (RFC 6455 §4.1) and exchanges the hellos.
func (a *agent) open(host, token string) error {
	_ = a.SetDeadline(time.Now().Add(stepTime))
	_, err := fmt.Fprintf(a, "GET /%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", wire.PathChannel, host, token)
	if err != nil {
		return err
	}
	var head strings.Builder
	for b := make([]byte, 1); !strings.HasSuffix(head.String(), "\r\n\r\n"); head.Write(b) {
		if _, err := io.ReadFull(a, b); err != nil {
			return err
		}
	}
	if !strings.HasPrefix(head.String(), "HTTP/1.1 101 ") {
		return fmt.Errorf("the collector answered %.60q", head.String())
	}
	if err := a.send(opText, []byte(`{"type":"hello","version":"1.4.0","instance":"one"}`)); err != nil {
		return err
	}
	return a.expect(opText)
}

// Opcodes of RFC 6455 §5.2.
const (
	opText = 0x1
	opPing = 0x9
	opPong = 0xA
)

// send writes a short frame, masked with zeros.
func (a *agent) send(op byte, payload []byte) error {
	_, err := a.Write(append([]byte{0x80 | op, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...))
	return err
}

// expect reads a short frame.
func (a *agent) expect(op byte) error {
	var head [2]byte
	if _, err := io.ReadFull(a, head[:]); err != nil {
		return err
	}
	if head[0] != 0x80|op || head[1] > 125 {
		return fmt.Errorf("a frame begins with %x", head)
	}
	_, err := io.CopyN(io.Discard, a, int64(head[1]))
	return err
}

func (a *agent) ping() error {
	_ = a.SetDeadline(time.Now().Add(stepTime))
	if err := a.send(opPing, nil); err != nil {
		return fmt.Errorf("ping of agent %d: %w", a.index, err)
	}
	if err := a.expect(opPong); err != nil {
		return fmt.Errorf("ping of agent %d: %w", a.index, err)
	}
	return nil
}

// writeCertificate creates a certificate for the collector.
func writeCertificate(dir string) (certFile, keyFile string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		return "", "", err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", "", err
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return "", "", err
	}
	return certFile, keyFile, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600)
}
