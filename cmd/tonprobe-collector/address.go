package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// address is what other commands tell people of the collector that serves from
// the same directory.
type address struct {
	URL string `json:"url"`
	// CA is the file that agents must be given; "" where they trust it anyway.
	CA string `json:"ca,omitempty"`
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

// addressOf is the last known one; empty when no collector has served yet.
func addressOf(dataDir string) (a address) {
	b, err := os.ReadFile(filepath.Join(dataDir, addressFile))
	if err != nil || json.Unmarshal(b, &a) != nil {
		return address{}
	}
	return a
}

// enrolCommand is what to type on a participant's computer.
func (a address) enrolCommand(code string) string {
	if a.URL == "" {
		return "tonprobe enroll " + code + " --server ADDRESS"
	}
	command := "tonprobe enroll " + code + " --server " + a.URL
	if a.CA != "" {
		command += " --ca FILE\n(FILE is a copy of " + a.CA + ")"
	}
	return command
}
