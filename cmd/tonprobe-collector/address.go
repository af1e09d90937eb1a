package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// address is the address of the collector that serves from the same directory, for other
// commands to print.
type address struct {
	URL string `json:"url"`
	// CA is the file of the collector's own certificate authority, and Pin the pin of its
	// key; "" if agents trust the collector's certificate anyway.
	CA  string `json:"ca,omitempty"`
	Pin string `json:"pin,omitempty"`
}

const addressFile = "address.json"

func (a address) remember(dataDir string) error {
	b, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("remember the address: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dataDir, addressFile), append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("remember the address: %w", err)
	}
	return nil
}

// addressOf returns the last known address; empty before the first start.
func addressOf(dataDir string) (a address) {
	b, err := os.ReadFile(filepath.Join(dataDir, addressFile))
	if err != nil || json.Unmarshal(b, &a) != nil {
		return address{}
	}
	return a
}

// enrolCommand returns the command to type on a participant's computer.
func (a address) enrolCommand(code string) string {
	if a.URL == "" {
		return "tonprobe enroll " + code + " --server ADDRESS"
	}
	if link := a.link(code); link != "" {
		return `tonprobe enroll "` + link + `"`
	}
	command := "tonprobe enroll " + code + " --server " + a.URL
	if a.CA != "" {
		command += " --ca FILE\n(FILE is a copy of " + a.CA + ")"
	}
	return command
}

// link returns the invitation with a code; "" if there is none: before the first start,
// without TLS, and if a collector of an older version stored no pin.
func (a address) link(code string) string {
	if a.CA != "" && a.Pin == "" {
		return ""
	}
	i, ok := wire.InvitationFor(a.URL, code, a.Pin)
	if !ok {
		return ""
	}
	return i.String()
}
