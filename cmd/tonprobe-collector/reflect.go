package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/tonprobe/tonprobe/server/bind"
	"github.com/tonprobe/tonprobe/server/cert"
	"github.com/tonprobe/tonprobe/server/reflector"
	"github.com/tonprobe/tonprobe/server/whip"
)

const keyWHIPSecret = "whip_secret_file"

func reflectFlags(in *invocation) {
	for _, key := range []string{"stun_listen", "media_listen", "media_ip", "turn_secret_file", "turn_secret", "listen", "tls_cert", "tls_key", "behind_proxy", keyWHIPSecret, "log_level"} {
		in.setting(key)
	}
}

// Limits of the reflector for one owner of a token.
const (
	sessionsOfToken = 4
	httpTimeout     = 10 * time.Second
	maxHeaderBytes  = 16 << 10
)

func reflectOnly(ctx context.Context, t terminal, in *invocation) error {
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	log := logger(t, c)
	r, err := reflector.New(reflector.Config{STUNListen: c.STUNListen, MediaListen: c.MediaListen, MediaIPs: c.MediaIPs,
		TURNSecret: c.TURNSecret, Limits: reflector.Limits{SessionsPerOwner: sessionsOfToken}, Log: log})
	if err != nil {
		return fmt.Errorf("start reflector: %w", err)
	}
	defer r.Close()
	serveWHIP := func() error { <-ctx.Done(); return nil }
	at := ""
	if len(c.whipSecret) > 0 {
		l, err := listenWHIP(ctx, c, log)
		if err != nil {
			return err
		}
		endpoint := whip.Endpoint{Echo: r, Secret: c.whipSecret, Now: time.Now, Log: log}
		serveWHIP = func() error { return serveUntil(ctx, l, endpoint.Handler(), log) }
		at = fmt.Sprintf(", WHIP on %s%s", l.Addr(), whip.Path)
	}
	_, _ = fmt.Fprintf(t.out, "Tonprobe reflector is ready: STUN and TURN on %s, echo on %s%s\n", r.STUNAddr(), r.MediaAddr(), at)
	if err := serveWHIP(); err != nil {
		return err
	}
	return r.Close()
}

// listenWHIP opens the port of the WHIP endpoint, with TLS unless a proxy provides it.
func listenWHIP(ctx context.Context, c settings, log *slog.Logger) (net.Listener, error) {
	behindProxy := len(c.BehindProxy) > 0 && c.TLSCert == ""
	if !behindProxy && (c.TLSCert == "" || c.TLSKey == "") {
		return nil, usagef("a WHIP endpoint needs --tls-cert and --tls-key, or --behind-proxy")
	}
	l, err := bind.TCP(ctx, cmp.Or(c.Listen, map[bool]string{true: "127.0.0.1:8443", false: ":8443"}[behindProxy]))
	if err != nil || behindProxy {
		return l, err
	}
	source, err := cert.FromFiles(c.TLSCert, c.TLSKey, log, time.Now)
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	return tls.NewListener(l, cert.TLS(source)), nil
}

// serveUntil serves until ctx is done.
func serveUntil(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: httpTimeout, ReadTimeout: httpTimeout, WriteTimeout: httpTimeout,
		MaxHeaderBytes: maxHeaderBytes, DisableGeneralOptionsHandler: true,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), // failed handshakes of unknown clients
	}
	stop := context.AfterFunc(ctx, func() {
		wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), httpTimeout/2)
		defer cancel()
		_ = s.Shutdown(wait)
	})
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve WHIP: %w", err)
	}
	return nil
}
