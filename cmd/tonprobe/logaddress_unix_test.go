//go:build unix

package main

import (
	"bytes"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
)

// A check with --verbose lets the ICE library log every candidate. None of this
// machine's addresses may stand in that log.
func TestVerboseLogHoldsNoAddress(t *testing.T) {
	c := startCollector(t)
	a := agent{t, filepath.Join(t.TempDir(), "data")}
	a.run("enroll", c.invite(t), "--server", c.url)
	var log bytes.Buffer
	p := a.command("check", "--no-audio", "--only", "network.web,media.voice", "--no-upload", "--verbose")
	p.Stderr = &log
	_ = p.Run() // the exit status is the verdict
	if !strings.Contains(log.String(), "pion=ice") {
		t.Fatalf("the ICE library has logged nothing: %s", &log)
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range own {
		addr := netip.MustParsePrefix(n.String()).Addr()
		for line := range strings.Lines(log.String()) {
			if !addr.IsLoopback() && holdsAddress(line, addr.String()) {
				t.Errorf("%s: %s", addr, line)
			}
		}
	}
}

// holdsAddress says whether line holds addr and not the network of that name.
func holdsAddress(line, addr string) bool {
	for {
		_, rest, found := strings.Cut(line, addr)
		if !found {
			return false
		}
		if !strings.HasPrefix(rest, "/24") && !strings.HasPrefix(rest, "/48") && (rest == "" || !strings.ContainsRune("0123456789abcdef.", rune(rest[0]))) {
			return true
		}
		line = rest
	}
}
