package datadir

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// staffKeyFile is in the folder of the keys, so that it is part of a backup.
const staffKeyFile = "staff.key"

// StaffKey returns the key that encrypts the secrets of staff in the database, of the given size. It
// draws one if there is none. Collectors that share a database need the same file.
func StaffKey(ctx context.Context, dir string, size int, random io.Reader) (key []byte, err error) {
	if err := os.MkdirAll(TLS(dir), 0o700); err != nil {
		return nil, fmt.Errorf("create the folder of the keys: %w", err)
	}
	if err := GiveToOwner(TLS(dir)); err != nil {
		return nil, fmt.Errorf("create the folder of the keys: %w", err)
	}
	file := filepath.Join(TLS(dir), staffKeyFile)
	b, err := ReadSecret(file)
	if err != nil {
		return nil, err
	}
	if len(b) > 0 {
		return staffKey(b, size)
	}
	err = UpdateSecret(ctx, file, func(old []byte) ([]byte, error) {
		if len(old) > 0 { // another process was faster
			key, err = staffKey(old, size)
			return old, err
		}
		key = make([]byte, size)
		if _, err := io.ReadFull(random, key); err != nil {
			return nil, fmt.Errorf("draw the key for secrets of staff: %w", err)
		}
		return append([]byte(hex.EncodeToString(key)), '\n'), nil
	})
	return key, err
}

func staffKey(text []byte, size int) ([]byte, error) {
	key, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(key) != size {
		return nil, fmt.Errorf("%s does not contain a key: restore it from a backup, or remove it and reset the second factors with 'tonprobe-collector user reset'", staffKeyFile)
	}
	return key, nil
}
