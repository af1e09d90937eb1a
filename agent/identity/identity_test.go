package identity

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestIdentityIsCreatedOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "tonprobe")
	first, err := LoadOrCreate(dir, rand.Reader, now)
	if err != nil {
		t.Fatal(err)
	}
	first.Enrolment = &Enrolment{Server: "https://c.example.org", Token: "secret", Participant: "Anna", EnrolledAt: now}
	if err := first.Save(dir); err != nil {
		t.Fatal(err)
	}
	again, err := LoadOrCreate(dir, rand.Reader, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if again.AgentID != first.AgentID || *again.Enrolment != *first.Enrolment {
		t.Errorf("got %+v, want %+v", again, first)
	}
	info, err := os.Stat(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the token's file has mode %v", info.Mode().Perm())
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".tmp-*")); len(left) > 0 {
		t.Errorf("temporary files left: %v", left)
	}
}

func TestBrokenIdentityIsNeverReplaced(t *testing.T) {
	for name, content := range map[string]string{
		"empty":     "",
		"cut off":   `{"agent_id":"8f14e45f-ceea-467f-9`,
		"no id":     `{}`,
		"wrong id":  `{"agent_id":"<script>"}`,
		"no token":  `{"agent_id":"8f14e45f-ceea-467f-9d4f-000000000001","enrolment":{"server":"https://c.example.org"}}`,
		"plain URL": `{"agent_id":"8f14e45f-ceea-467f-9d4f-000000000001","enrolment":{"server":"http://c.example.org","token":"t"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, FileName)
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := LoadOrCreate(dir, rand.Reader, now)
			var broken *BrokenError
			if !errors.As(err, &broken) || broken.Path != path {
				t.Fatalf("got %v", err)
			}
			if got, _ := os.ReadFile(path); string(got) != content {
				t.Errorf("the file was changed to %q", got)
			}
		})
	}
}

func TestNoIdentityYet(t *testing.T) {
	if _, err := Load(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
