// Package youtube checks the ingest of a public stream without a stream key: the
// connection, the certificate and the handshake of RTMP.
package youtube

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/report"
)

// The ingest of YouTube Live (support.google.com/youtube/answer/10364924). An event may
// have another one, which can be given as the target.
const (
	ingestHost  = "a.rtmps.youtube.com"
	schemeTLS   = "rtmps"
	schemePlain = "rtmp"
)

// ports by scheme: YouTube's port of RTMP over TLS, and the port of RTMP that IANA has assigned
// (macromedia-fcs). There is no assigned port of RTMP over TLS.
var ports = map[string]string{schemeTLS: "443", schemePlain: "1935"}

// System is YouTube Live, or any other RTMP ingest.
type System struct{}

// Name implements conference.System.
func (System) Name() string { return report.ProbeYouTube }

// Recognises reports whether an address is that of an ingest, or one of YouTube's.
func (System) Recognises(u *url.URL) bool {
	host := u.Hostname()
	return u.Scheme == schemeTLS || u.Scheme == schemePlain ||
		host == "youtu.be" || host == "youtube.com" || strings.HasSuffix(host, ".youtube.com")
}

// Base returns the ingest without its path, which may contain the stream key.
func (System) Base(u *url.URL) *url.URL {
	if u.Scheme == schemeTLS || u.Scheme == schemePlain {
		return &url.URL{Scheme: u.Scheme, Host: u.Host}
	}
	return &url.URL{Scheme: schemeTLS, Host: ingestHost}
}

// Detect returns false: the address is sufficient.
func (System) Detect(context.Context, *visit.Visit) bool { return false }

// Check implements conference.System.
func (System) Check(ctx context.Context, v *visit.Visit) {
	var conn net.Conn
	reached := v.Do(ctx, report.StepReach, func(ctx context.Context) (o visit.Outcome) {
		conn, o = connect(ctx, v)
		return o
	})
	if !reached {
		v.Skip(report.StepHandshake, visit.StepFailed)
		return
	}
	defer conn.Close()
	if v.Do(ctx, report.StepHandshake, func(ctx context.Context) visit.Outcome { return handshake(ctx, v.Env.Rand, conn) }) {
		v.Data.Reachable = new(true)
	}
}

// connect opens the connection, with TLS if the scheme requires it.
func connect(ctx context.Context, v *visit.Visit) (net.Conn, visit.Outcome) {
	port := v.URL.Port()
	if port == "" {
		port = ports[v.URL.Scheme]
	}
	conn, err := v.Env.Dial(ctx, "tcp", net.JoinHostPort(v.URL.Hostname(), port))
	if err != nil {
		return nil, visit.Failed(err)
	}
	if v.URL.Scheme == schemePlain {
		return conn, visit.OK()
	}
	secure := tls.Client(conn, &tls.Config{ServerName: v.URL.Hostname(), RootCAs: v.RootCAs})
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, visit.Failed(err)
	}
	return secure, visit.OK()
}

// The handshake of RTMP (Adobe's specification 1.0, §5.2): a version byte, then chunks
// of a time, four zero bytes and random data.
const (
	version     = 3
	chunkBytes  = 1536
	randomFrom  = 8
	answerBytes = 1 + 2*chunkBytes
)

// handshake sends C0, C1 and C2 and evaluates S0, S1 and S2. It sends no command, so no
// stream begins.
func handshake(ctx context.Context, random io.Reader, conn net.Conn) visit.Outcome {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	c := make([]byte, 1+chunkBytes)
	c[0] = version
	if _, err := io.ReadFull(random, c[1+randomFrom:]); err != nil {
		return visit.Untested("no_random")
	}
	s := make([]byte, answerBytes)
	err := exchange(conn, c, s)
	switch {
	case ctx.Err() != nil:
		return visit.Fault("timeout")
	case err != nil && !errors.Is(err, errNotRTMP):
		return visit.Failed(err)
	case err != nil || s[0] != version || !bytes.Equal(s[1+chunkBytes+randomFrom:], c[1+randomFrom:]):
		return visit.Fault("not_rtmp")
	}
	// C2 repeats S1. The server's reaction to it is not awaited.
	if _, err := conn.Write(s[1 : 1+chunkBytes]); err != nil {
		return visit.Failed(err)
	}
	return visit.OK()
}

var errNotRTMP = errors.New("the response is not RTMP")

func exchange(conn net.Conn, c, s []byte) error {
	if _, err := conn.Write(c); err != nil {
		return fmt.Errorf("send the handshake: %w", err)
	}
	// The first byte reveals another kind of server, which may then be silent.
	if _, err := io.ReadFull(conn, s[:1]); err != nil {
		return fmt.Errorf("read the version: %w", err)
	}
	if s[0] != version {
		return errNotRTMP
	}
	if _, err := io.ReadFull(conn, s[1:]); err != nil {
		return fmt.Errorf("read the handshake: %w", err)
	}
	return nil
}
