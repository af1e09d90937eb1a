package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretFiles(t *testing.T) {
	write := func(text string) string {
		name := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	if s, err := readSecret(write("\ufeff north \r\n\n")); err != nil || string(s) != "north" {
		t.Errorf("got %q, error %v; want north", s, err)
	}
	if u, p, err := readCredentials(write("user\npass word\n")); err != nil || u != "user" || p != "pass word" {
		t.Errorf("got %q, %q, error %v; want user, pass word", u, p, err)
	}
	for _, text := range []string{"", "a\nb\nc"} {
		name := write(text)
		if _, err := readSecret(name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("secret %q: got error %v; want one with %q", text, err, name)
		}
		if _, _, err := readCredentials(name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("credentials %q: got error %v; want one with %q", text, err, name)
		}
	}
	if _, err := readSecret(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "there is no file") {
		t.Errorf("a missing file: got error %v; want one with %q", err, "there is no file")
	}
}
