// Package privacy contains what the law requires for the data of participants: it exports the data of
// a person, lists the copies of the database in which an erased person may still be, and erases
// people again who came back with a restored backup.
package privacy

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/server/datadir"
	"github.com/tonprobe/tonprobe/server/store"
)

// ErrList means that a file is not a list of tombstones.
var ErrList = errors.New("this is not a list of erased people")

// The first line of a list of tombstones. The first version has no names.
const (
	listHead   = "tonprobe.erased/v2"
	listHeadV1 = "tonprobe.erased/v1"
)

const listComment = `# Keyed hashes of erased participants and their computers. With them a restored backup loses again whoever
# was erased after it was made: keep a copy beside your backups, where only you can read it. Whoever has
# this file can test whether a name that they know is in a line with "name", so that these are personal
# data. They are removed after the time of --keep-erased-names.
`

// dayFormat is the format of the day in a line with a name.
const dayFormat = time.DateOnly

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
	for _, n := range l.Names {
		fmt.Fprintf(&b, "name %x %s\n", n.Hash, n.ErasedAt.UTC().Format(dayFormat))
	}
	return b.Bytes()
}

// ParseList reads a list of tombstones. An empty text is an empty list. Every other error is ErrList.
func ParseList(text []byte) (l store.TombstoneList, err error) {
	if len(text) == 0 {
		return l, nil
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	head := strings.TrimSpace(lines[0])
	if head != listHead && head != listHeadV1 {
		return l, ErrList
	}
	l.NamesUnknown = head == listHeadV1
	for i, line := range lines[1:] {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if rest, isName := strings.CutPrefix(line, "name "); isName {
			n, err := parseName(rest)
			if err != nil {
				return store.TombstoneList{}, fmt.Errorf("%w: line %d", ErrList, i+2)
			}
			l.Names = append(l.Names, n)
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
	if len(l.Hashes)+len(l.Names) > 0 && len(l.Keys) == 0 {
		return store.TombstoneList{}, fmt.Errorf("%w: it has no key", ErrList)
	}
	return l, nil
}

// parseName reads the hash of a name and the day.
func parseName(text string) (n store.ErasedName, err error) {
	digits, day, _ := strings.Cut(text, " ")
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != len(n.Hash) {
		return n, ErrList
	}
	n.Hash = store.Hash(b)
	n.ErasedAt, err = time.Parse(dayFormat, day)
	return n, err
}

// Merge returns the tombstones of several lists, each once; a name with the last day.
func Merge(lists ...store.TombstoneList) (all store.TombstoneList) {
	for _, l := range lists {
		all.Keys, all.Hashes, all.Names = append(all.Keys, l.Keys...), append(all.Hashes, l.Hashes...), append(all.Names, l.Names...)
		all.NamesUnknown = all.NamesUnknown || l.NamesUnknown
	}
	slices.SortFunc(all.Keys, bytes.Compare)
	all.Keys = slices.CompactFunc(all.Keys, bytes.Equal)
	slices.SortFunc(all.Hashes, func(a, b store.Hash) int { return bytes.Compare(a[:], b[:]) })
	all.Hashes = slices.Compact(all.Hashes)
	slices.SortFunc(all.Names, func(a, b store.ErasedName) int {
		return cmp.Or(bytes.Compare(a.Hash[:], b.Hash[:]), b.ErasedAt.Compare(a.ErasedAt))
	})
	all.Names = slices.CompactFunc(all.Names, func(a, b store.ErasedName) bool { return a.Hash == b.Hash })
	return all
}

// onDays returns a list with the times of names reduced to what a file keeps.
func onDays(l store.TombstoneList) store.TombstoneList {
	l.Names = slices.Clone(l.Names)
	for i := range l.Names {
		l.Names[i].ErasedAt = l.Names[i].ErasedAt.UTC().Truncate(24 * time.Hour)
	}
	return l
}

// since returns a list without the names that were erased before a time; zero keeps all.
func since(l store.TombstoneList, t time.Time) store.TombstoneList {
	if !t.IsZero() {
		l.Names = slices.DeleteFunc(slices.Clone(l.Names), func(n store.ErasedName) bool { return n.ErasedAt.Before(t) })
	}
	return l
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
	return updateList(ctx, dir, more, time.Time{})
}

// updateList adds tombstones, and removes the names that were erased before a time; zero for none.
func updateList(ctx context.Context, dir string, more store.TombstoneList, before time.Time) error {
	known, err := ReadList(dir)
	if err != nil {
		return err
	}
	more = onDays(more)
	changed := since(Merge(known, more), before)
	if reflect.DeepEqual(changed, Merge(known)) || len(changed.Hashes)+len(changed.Names)+len(known.Names) == 0 {
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
		return FormatList(since(Merge(l, more), before)), nil
	})
}

// Sync makes a store and the list beside it know all tombstones of both, and returns the number of
// people whom the store had to erase again, as after a restored backup. A participant who is erased is
// in the list when it returns. Names that were erased before namesSince are forgotten in the list; zero keeps
// all.
func Sync(ctx context.Context, s store.Tombstones, dir string, now, namesSince time.Time) (erasedAgain int, err error) {
	list, err := ReadList(dir)
	if err != nil {
		return 0, err
	}
	if erasedAgain, err = s.AddTombstones(ctx, since(list, namesSince), now); err != nil {
		return erasedAgain, fmt.Errorf("erase again: %w", err)
	}
	stored, err := s.Tombstones(ctx)
	if err != nil {
		return erasedAgain, err
	}
	return erasedAgain, updateList(ctx, dir, stored, namesSince)
}

// Eraser erases participants of a collector.
type Eraser struct {
	Store interface {
		store.Tombstones
		DeleteParticipant(ctx context.Context, id string, now time.Time) error
	}
	Dir string // of the data
	Now func() time.Time
}

// Erase erases a participant, and notes the tombstones in the list beside the data. If only the latter
// fails, the error is a *ListError: the participant is erased.
func (e Eraser) Erase(ctx context.Context, participantID string) error {
	if err := e.Store.DeleteParticipant(ctx, participantID, e.Now()); err != nil {
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
