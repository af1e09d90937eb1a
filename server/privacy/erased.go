// Package privacy keeps what the law requires about the data of participants: that erased people stay
// erased.
package privacy

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/server/datadir"
	"github.com/tonprobe/tonprobe/server/store"
)

// ErrList means that a file is not a list of tombstones.
var ErrList = errors.New("this is not a list of erased people")

// listHead is the first line of a list of tombstones.
const listHead = "tonprobe.erased/v1"

const listComment = `# Keyed hashes of erased participants and their computers. They contain no personal data. With them a
# restored backup loses again whoever was erased after it was made: keep a copy beside your backups.
`

// FormatList returns the text of a list, which ParseList reads.
func FormatList(l store.TombstoneList) []byte {
	var b bytes.Buffer
	b.WriteString(listHead + "\n" + listComment)
	for _, key := range l.Keys {
		fmt.Fprintf(&b, "key %x\n", key)
	}
	for _, h := range l.Hashes {
		fmt.Fprintf(&b, "%x\n", h)
	}
	return b.Bytes()
}

// ParseList reads a list of tombstones. An empty text is an empty list. Every other error is ErrList.
func ParseList(text []byte) (l store.TombstoneList, err error) {
	if len(text) == 0 {
		return l, nil
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if strings.TrimSpace(lines[0]) != listHead {
		return l, ErrList
	}
	for i, line := range lines[1:] {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		digits, isKey := strings.CutPrefix(line, "key ")
		b, err := hex.DecodeString(digits)
		switch {
		case err != nil || !isKey && len(b) != len(store.Hash{}) || isKey && len(b) < 16:
			return store.TombstoneList{}, fmt.Errorf("%w: line %d", ErrList, i+2)
		case isKey:
			l.Keys = append(l.Keys, b)
		default:
			l.Hashes = append(l.Hashes, store.Hash(b))
		}
	}
	if len(l.Hashes) > 0 && len(l.Keys) == 0 {
		return store.TombstoneList{}, fmt.Errorf("%w: it has no key", ErrList)
	}
	return l, nil
}

// Merge returns the tombstones of several lists, each once.
func Merge(lists ...store.TombstoneList) (all store.TombstoneList) {
	for _, l := range lists {
		all.Keys, all.Hashes = append(all.Keys, l.Keys...), append(all.Hashes, l.Hashes...)
	}
	slices.SortFunc(all.Keys, bytes.Compare)
	all.Keys = slices.CompactFunc(all.Keys, bytes.Equal)
	slices.SortFunc(all.Hashes, func(a, b store.Hash) int { return bytes.Compare(a[:], b[:]) })
	all.Hashes = slices.Compact(all.Hashes)
	return all
}

// ReadList reads the list beside a collector's data; it is empty if there is none.
func ReadList(dir string) (store.TombstoneList, error) {
	b, err := datadir.ReadSecret(datadir.Erased(dir))
	if err != nil {
		return store.TombstoneList{}, err
	}
	l, err := ParseList(b)
	if err != nil {
		return l, fmt.Errorf("%s: %w", datadir.Erased(dir), err)
	}
	return l, nil
}

// AddToList adds tombstones to the list beside a collector's data.
func AddToList(ctx context.Context, dir string, more store.TombstoneList) error {
	known, err := ReadList(dir)
	if err != nil {
		return err
	}
	all := Merge(known, more)
	if len(all.Hashes) == len(known.Hashes) && len(all.Keys) == len(known.Keys) || len(all.Hashes) == 0 {
		return nil
	}
	if err := datadir.Make(dir); err != nil {
		return err
	}
	return datadir.UpdateSecret(ctx, datadir.Erased(dir), func(old []byte) ([]byte, error) {
		l, err := ParseList(old)
		if err != nil {
			return nil, err
		}
		return FormatList(Merge(l, all)), nil
	})
}

// Sync makes a store and the list beside it know all tombstones of both, and returns the number of
// people whom the store had to erase again, as after a restored backup. A participant who is erased is
// in the list when it returns.
func Sync(ctx context.Context, s store.Tombstones, dir string) (erasedAgain int, err error) {
	list, err := ReadList(dir)
	if err != nil {
		return 0, err
	}
	if erasedAgain, err = s.AddTombstones(ctx, list); err != nil {
		return erasedAgain, fmt.Errorf("erase again: %w", err)
	}
	stored, err := s.Tombstones(ctx)
	if err != nil {
		return erasedAgain, err
	}
	return erasedAgain, AddToList(ctx, dir, stored)
}

// Eraser erases participants of a collector.
type Eraser struct {
	Store interface {
		store.Tombstones
		DeleteParticipant(ctx context.Context, id string) error
	}
	Dir string // of the data
}

// Erase erases a participant, and notes the tombstones in the list beside the data. If only the latter
// fails, the error is a *ListError: the participant is erased.
func (e Eraser) Erase(ctx context.Context, participantID string) error {
	if err := e.Store.DeleteParticipant(ctx, participantID); err != nil {
		return err
	}
	stored, err := e.Store.Tombstones(ctx)
	if err == nil {
		err = AddToList(ctx, e.Dir, stored)
	}
	if err != nil {
		return &ListError{err}
	}
	return nil
}

// ListError means that a participant was erased, but not noted in the list beside the data.
type ListError struct{ Err error }

func (e *ListError) Error() string {
	return fmt.Sprintf("the participant is erased, but the list that protects restored backups could not be written: %v", e.Err)
}

func (e *ListError) Unwrap() error { return e.Err }
