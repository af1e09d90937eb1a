package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server"
)

func serveFlags(in *invocation) {
	for _, o := range options() {
		// Every command has the settings of the data; the collector does not need those
		// of the separate WHIP endpoint.
		if !slices.Contains(append(dataKeys(), keyWHIPSecret), o.key) {
			in.setting(o.key)
		}
	}
}

func serve(ctx context.Context, t terminal, in *invocation) error {
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	c.Log = logger(t, c)
	var firstName, firstPassword string
	c.FirstPassword = func(name, password string) { firstName, firstPassword = name, password }
	c.Version = programVersion()
	s, err := server.New(ctx, c.Config)
	// The password is generated once. It must be printed even if a later step fails.
	if firstPassword != "" {
		announcePassword(t.out, firstName, firstPassword)
	}
	if err != nil {
		return err
	}
	announce(t.out, s, c)
	ca, _, _ := s.OwnCertificate()
	if err := (address{s.PublicURL(), ca, s.AuthorityPin()}).remember(c.DataDir); err != nil {
		c.Log.Warn("other commands will not know the address of this collector", "err", err)
	}
	return s.Serve(ctx)
}

func announcePassword(w io.Writer, name, password string) {
	_, _ = fmt.Fprintf(w, "First user of the dashboard: %s\nPassword, shown only now:    %s\n\n", name, password)
}

func announce(w io.Writer, s *server.Server, c settings) {
	data := c.DataDir
	if c.DatabaseURL != "" {
		data = "PostgreSQL; keys and certificates in " + c.DataDir
	}
	_, _ = fmt.Fprintf(w, "Tonprobe collector is ready: %s\nData: %s\n", s.PublicURL(), data)
	if file, fingerprint, ok := s.OwnCertificate(); ok {
		_, _ = fmt.Fprintf(w, "\nIt has created its own certificate. Agents trust it with\n  --ca %s\nBrowsers warn until that file is imported. SHA-256 of the certificate they show:\n  %s\n", file, fingerprint)
	}
	_, _ = fmt.Fprintln(w, "\nA new participant: tonprobe-collector participant add NAME")
}

func logger(t terminal, c settings) *slog.Logger {
	o := &slog.HandlerOptions{Level: c.logLevel, ReplaceAttr: report.LogAttr}
	if c.logFormat == formatJSON {
		return slog.New(slog.NewJSONHandler(t.err, o))
	}
	return slog.New(slog.NewTextHandler(t.err, o))
}
