package netbench

import (
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

// AtServer returns a command that runs a program on the server, next to the collector.
func (w *World) AtServer(ctx context.Context, program string, args ...string) *exec.Cmd {
	return in(ctx, w.ns.names[atServer], program, args...)
}

// collectorCommand returns a command of the collector's program on its data.
func (w *World) collectorCommand(ctx context.Context, args ...string) *exec.Cmd {
	return w.AtServer(ctx, w.programs.Collector, append(args, "--data", w.data("collector"))...)
}

// AddTarget makes a conference system known to the collector under a name.
func (w *World) AddTarget(ctx context.Context, name string, options ...string) error {
	_, err := w.collectorCommand(ctx, append([]string{"target", "add", name}, options...)...).Output()
	if err != nil {
		return fmt.Errorf("add target %s: %w", name, withStderr(err))
	}
	return nil
}

// Issue creates a certificate of the collector's CA, which the agent trusts, and returns
// it and its key in PEM.
func (w *World) Issue(host string, until time.Time) (cert, key []byte, err error) {
	dir := filepath.Dir(w.ca)
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.key"))
	if err != nil {
		return nil, nil, fmt.Errorf("read the collector's authority: %w", err)
	}
	authorityKey, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, nil, fmt.Errorf("the collector's authority has a key of an unsupported type: %T", pair.PrivateKey)
	}
	by := &authority{cert: pair.Leaf, key: authorityKey}
	issued, err := by.issue(host)
	if err != nil {
		return nil, nil, err
	}
	leafKey := issued.PrivateKey.(*ecdsa.PrivateKey)
	if issued, err = by.sign(host, leafKey, until); err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		return nil, nil, fmt.Errorf("write the key of %s: %w", host, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issued.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
