package recorder

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

var small = layout{name: "ring", magic: [4]byte{'T', 'E', 'S', 'T'}, slotBytes: 64, slots: 5}

func write(t *testing.T, dir string, payloads ...string) {
	t.Helper()
	r, err := openRing(dir, small)
	if r == nil {
		t.Fatal(err)
	}
	for _, p := range payloads {
		if err := r.append([]byte(p)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir string) (all []string, err error) {
	t.Helper()
	slots, err := readRing(dir, small)
	for _, s := range slots {
		all = append(all, string(s.payload))
	}
	return all, err
}

func TestRingKeepsTheNewest(t *testing.T) {
	dir := t.TempDir()
	if _, err := read(t, dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a file: got error %v, want %v", err, fs.ErrNotExist)
	}
	for i := range 13 { // opened anew each time
		write(t, dir, fmt.Sprint(i))
	}
	if got, err := read(t, dir); err != nil || fmt.Sprint(got) != "[8 9 10 11 12]" {
		t.Errorf("got %v, error %v; want [8 9 10 11 12]", got, err)
	}
	info, err := os.Stat(filepath.Join(dir, small.name))
	if err != nil || info.Size() != int64(small.slots*small.slotBytes) {
		t.Errorf("got %d bytes, error %v; want %d", info.Size(), err, small.slots*small.slotBytes)
	}
}

func TestRingRefusesWhatDoesNotFit(t *testing.T) {
	r, err := openRing(t.TempDir(), small)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.close() }()
	if err := r.append(make([]byte, small.slotBytes-slotHeader)); err != nil {
		t.Errorf("the largest record: got error %v, want nil", err)
	}
	if err := r.append(make([]byte, small.slotBytes-slotHeader+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("one byte more: got error %v, want %v", err, ErrTooLarge)
	}
}

// TestRingAfterTornWrites: a power failure leaves any prefix of the last write, and the
// rest of the slot unchanged.
func TestRingAfterTornWrites(t *testing.T) {
	for torn := range small.slotBytes {
		dir := t.TempDir()
		write(t, dir, "0", "1", "2", "3", "4")
		path := filepath.Join(dir, small.name)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, "five, which is longer")
		after, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		copy(before, after[:torn])
		if err := os.WriteFile(path, before, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := read(t, dir)
		whole := fmt.Sprint(got) == "[1 2 3 4 five, which is longer]"
		old := fmt.Sprint(got) == "[0 1 2 3 4]"
		if !whole && !old && !(fmt.Sprint(got) == "[1 2 3 4]" && isDamage(err)) {
			t.Fatalf("torn after %d bytes: got %v, error %v; want the old or the new content, or a *DamagedError without the torn slot", torn, got, err)
		}
		write(t, dir, "next") // writing continues
		if got, _ := read(t, dir); got[len(got)-1] != "next" || got[len(got)-2] == "next" {
			t.Fatalf("torn after %d bytes: got %v after the next write, want \"next\" once at the end", torn, got)
		}
	}
}

func TestForeignFiles(t *testing.T) {
	for name, content := range map[string][]byte{
		"empty": {}, "short": []byte("x"), "text": bytes.Repeat([]byte("Hello, world! "), 100),
		"another ring": ringOf(t, "old"), "huge": make([]byte, 1<<20),
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, small.name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := read(t, dir)
		if e, ok := errors.AsType[*DamagedError](err); (len(bytes.Trim(content, "\x00")) > 0) != (ok && e.Slots > 0) {
			t.Errorf("%s: got error %v, want a *DamagedError if there is any content", name, err)
		}
		write(t, dir, "a", "b", "c", "d", "e")
		if got, err := read(t, dir); err != nil || fmt.Sprint(got) != "[a b c d e]" {
			t.Errorf("%s: got %v, error %v after the next write; want [a b c d e]", name, got, err)
		}
	}
}

// ringOf returns a file with another magic number.
func ringOf(t *testing.T, payload string) []byte {
	dir := t.TempDir()
	write(t, dir, payload)
	b, err := os.ReadFile(filepath.Join(dir, small.name))
	if err != nil {
		t.Fatal(err)
	}
	copy(b[4:], "XXXX")
	return b
}

func FuzzRing(f *testing.F) {
	b := make([]byte, small.slotBytes)
	copy(b[4:], small.magic[:])
	binary.LittleEndian.PutUint16(b[16:], 60000)
	f.Add(b)
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, content []byte) {
		slots, err := parseRing(content, small)
		if len(slots) > len(content)/slotHeader || err != nil && !isDamage(err) {
			t.Errorf("got %d slots, error %v; want at most %d, and nil or a *DamagedError", len(slots), err, len(content)/slotHeader)
		}
	})
}
