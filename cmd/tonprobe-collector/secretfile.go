package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// maxSecretBytes is longer than any secret.
const maxSecretBytes = 4 << 10

// readSecret reads a shared secret from the first line of a file.
func readSecret(name string) ([]byte, error) {
	lines, err := readLines(name)
	if err != nil {
		return nil, err
	}
	if len(lines) != 1 {
		return nil, fmt.Errorf("%s has %d lines: it must contain the secret and nothing else", name, len(lines))
	}
	return []byte(lines[0]), nil
}

// readCredentials reads a user name and a password from the two lines of a file.
func readCredentials(name string) (username, password string, err error) {
	lines, err := readLines(name)
	if err != nil {
		return "", "", err
	}
	if len(lines) != 2 {
		return "", "", fmt.Errorf("%s has %d lines: it must contain the user name on the first line and the password on the second", name, len(lines))
	}
	return lines[0], lines[1], nil
}

func readLines(name string) (lines []string, err error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no file %s", name)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	scanner := bufio.NewScanner(io.LimitReader(f, maxSecretBytes))
	for scanner.Scan() {
		// Notepad of Windows writes a byte order mark.
		if line := strings.TrimSpace(strings.TrimPrefix(scanner.Text(), "\ufeff")); line != "" {
			lines = append(lines, line)
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return lines, nil
}
