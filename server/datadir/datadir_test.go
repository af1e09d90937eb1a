package datadir

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name     string
		key      string // file in tls/; "" for no folder, "." for an empty one
		database []byte // nil: missing
		want     error
	}{
		{"new", "", nil, nil},
		{"new, killed between folder and key", ".", nil, nil},
		{"own certificate", "ca.key", nil, ErrNoDatabase},
		{"behind a proxy", "identity.key", nil, ErrNoDatabase},
		{"emptied", "identity.key", []byte{}, ErrNoDatabase},
		{"whole", "ca.key", []byte("SQLite"), nil},
		{"whole, keys lost", "", []byte("SQLite"), nil},
	} {
		dir := t.TempDir()
		if c.key != "" {
			if err := os.Mkdir(TLS(dir), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if c.key != "" && c.key != "." {
			if err := os.WriteFile(filepath.Join(TLS(dir), c.key), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if c.database != nil {
			if err := os.WriteFile(Database(dir), c.database, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := Check(dir); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: got error %v, want %v", c.name, err, c.want)
		}
	}
}
