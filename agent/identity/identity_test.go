package identity

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
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
	if err := Update(dir, func(id *Identity) error { *id = *first; return nil }); err != nil {
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
		t.Errorf("got mode %v of the token's file, want 0600", info.Mode().Perm())
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".tmp-*")); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
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
				t.Fatalf("got error %v, want a *BrokenError for %s", err, path)
			}
			if got, _ := os.ReadFile(path); string(got) != content {
				t.Errorf("got the file %q, want %q", got, content)
			}
		})
	}
}

func TestNoIdentityYet(t *testing.T) {
	if _, err := Load(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got error %v, want %v", err, fs.ErrNotExist)
	}
}

// TestUpdatesAreNotLost lets many processes change the identity at once; each has a lock of
// its own here too.
func TestUpdatesAreNotLost(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	const writers, each = 8, 10
	ids := make(chan string, writers)
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			id, err := LoadOrCreate(dir, rand.Reader, now)
			if err != nil {
				t.Error(err)
				return
			}
			ids <- id.AgentID
			for range each {
				if err := Update(dir, func(id *Identity) error {
					if id.Enrolment == nil {
						id.Enrolment = &Enrolment{Server: "https://c.example.org", Token: "secret"}
					}
					id.Enrolment.Participant += "x"
					return nil
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	close(ids)
	id, err := Load(dir)
	if err != nil || len(id.Enrolment.Participant) != writers*each {
		t.Errorf("got %+v, error %v; want %d changes", id, err, writers*each)
	}
	for one := range ids {
		if one != id.AgentID {
			t.Errorf("started with %s, but %s is stored", one, id.AgentID)
		}
	}
}

func TestUpdateThatFailsOrChangesNothing(t *testing.T) {
	dir := t.TempDir()
	failed := errors.New("failed")
	if err := Update(dir, func(id *Identity) error { id.AgentID = "x"; return failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
	if err := Update(dir, func(*Identity) error { return nil }); err != nil {
		t.Error(err)
	}
	if err := Update(dir, func(id *Identity) error { id.AgentID = "x"; return nil }); err == nil || errors.Is(err, ErrNotSaved) {
		t.Errorf("an invalid identity: got error %v, want one other than ErrNotSaved", err)
	}
	if _, err := Load(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got error %v, want %v", err, fs.ErrNotExist)
	}
}

func TestRetire(t *testing.T) {
	dir := t.TempDir()
	id, err := LoadOrCreate(dir, rand.Reader, now)
	if err != nil {
		t.Fatal(err)
	}
	id.Enrolment = &Enrolment{Server: "https://c.example.org", Token: "new"}
	if err := Update(dir, func(stored *Identity) error { *stored = *id; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := Retire(dir, "old"); err != nil {
		t.Error(err)
	}
	if _, err := Load(dir); err != nil {
		t.Errorf("enrolled again in the meantime: got error %v, want nil", err)
	}
	if err := Retire(dir, "new"); err != nil {
		t.Error(err)
	}
	if _, err := Load(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got error %v, want %v", err, fs.ErrNotExist)
	}
}
