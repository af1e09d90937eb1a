package recorder

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/tonprobe/tonprobe/agent/durable"
)

// A ring is a file of fixed size with slots that are overwritten in turn. Each slot is
// written by one call, and never rewritten before its turn, so that a crash or a power
// failure damages at most the slot that was being written: the oldest one.
//
//	slot    = sum(4) magic(4) sequence(8) length(2) payload zeros
//	sum     = CRC-32C of everything after it, as far as the payload
//	numbers are little-endian
//
// There is no header: a file of any content is read, and whatever is not a slot is
// skipped.
const slotHeader = 18

// layout is the format of a ring. The magic changes with the encoding of its payload.
type layout struct {
	name      string // of the file
	magic     [4]byte
	slotBytes int
	slots     int
}

// DamagedError means that slots of a ring could not be read. The others were.
type DamagedError struct {
	File string // without its folder
	// Slots is the number of slots that are damaged, or foreign.
	Slots int
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s: %d slots cannot be read", e.File, e.Slots)
}

// ErrTooLarge means that a payload does not fit into a slot.
var ErrTooLarge = errors.New("the payload is too large for a slot of the recorder")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ring appends to a file. It is for one goroutine.
type ring struct {
	layout
	file *os.File
	next uint64 // sequence of the next slot
	buf  []byte
}

// openRing opens the ring in a folder, and creates it if there is none. A
// *DamagedError comes with a usable ring.
func openRing(dir string, l layout) (*ring, error) {
	if err := durable.MkdirPrivate(dir); err != nil {
		return nil, fmt.Errorf("open the recorder: %w", err)
	}
	slots, err := readRing(dir, l)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil && !isDamage(err) {
		return nil, err
	}
	// Not an append-only file: its size is bounded.
	f, openErr := durable.OpenFile(filepath.Join(dir, l.name), os.O_RDWR|os.O_CREATE)
	if openErr != nil {
		return nil, fmt.Errorf("open the recorder: %w", openErr)
	}
	r := &ring{layout: l, file: f, buf: make([]byte, l.slotBytes)}
	if len(slots) > 0 {
		r.next = slots[len(slots)-1].sequence + 1
	}
	return r, err
}

func isDamage(err error) bool {
	_, ok := errors.AsType[*DamagedError](err)
	return ok
}

// append writes a payload into the next slot. It does not sync the file.
func (r *ring) append(payload []byte) error {
	if len(payload) > r.slotBytes-slotHeader {
		return ErrTooLarge
	}
	clear(r.buf)
	copy(r.buf[4:], r.magic[:])
	binary.LittleEndian.PutUint64(r.buf[8:], r.next)
	binary.LittleEndian.PutUint16(r.buf[16:], uint16(len(payload)))
	copy(r.buf[slotHeader:], payload)
	binary.LittleEndian.PutUint32(r.buf, crc32.Checksum(r.buf[4:slotHeader+len(payload)], castagnoli))
	at := int64(r.next%uint64(r.slots)) * int64(r.slotBytes)
	if _, err := r.file.WriteAt(r.buf, at); err != nil {
		return fmt.Errorf("write to the recorder: %w", err)
	}
	r.next++
	return nil
}

func (r *ring) close() error { return r.file.Close() }

// slot is the content of one slot.
type slot struct {
	sequence uint64
	payload  []byte
}

// readRing reads the slots of a ring, oldest first. Without a file the error is
// fs.ErrNotExist.
func readRing(dir string, l layout) ([]slot, error) {
	f, err := os.Open(filepath.Join(dir, l.name))
	if err != nil {
		return nil, fmt.Errorf("read the recorder: %w", err)
	}
	defer func() { _ = f.Close() }()
	all, err := io.ReadAll(io.LimitReader(f, int64(l.slots*l.slotBytes)))
	if err != nil {
		return nil, fmt.Errorf("read the recorder: %w", err)
	}
	return parseRing(all, l)
}

// parseRing parses the content of a ring. A slot that is all zeros was never written.
func parseRing(all []byte, l layout) ([]slot, error) {
	var slots []slot
	damaged := 0
	for b := range slices.Chunk(all, l.slotBytes) {
		s, ok := parseSlot(b, l.magic)
		switch {
		case ok:
			slots = append(slots, s)
		case len(bytes.Trim(b, "\x00")) > 0:
			damaged++
		}
	}
	slices.SortFunc(slots, func(a, b slot) int {
		if a.sequence < b.sequence {
			return -1
		}
		return 1
	})
	// A slot older than a whole round should have been overwritten, and is obsolete.
	if n := len(slots); n > 0 {
		newest := slots[n-1].sequence
		slots = slices.DeleteFunc(slots, func(s slot) bool { return newest-s.sequence >= uint64(l.slots) })
	}
	if damaged > 0 {
		return slots, &DamagedError{File: l.name, Slots: damaged}
	}
	return slots, nil
}

func parseSlot(b []byte, magic [4]byte) (slot, bool) {
	if len(b) < slotHeader || !bytes.Equal(b[4:8], magic[:]) {
		return slot{}, false
	}
	end := slotHeader + int(binary.LittleEndian.Uint16(b[16:]))
	if end > len(b) || crc32.Checksum(b[4:end], castagnoli) != binary.LittleEndian.Uint32(b) {
		return slot{}, false
	}
	s := slot{sequence: binary.LittleEndian.Uint64(b[8:]), payload: b[slotHeader:end]}
	return s, s.sequence < 1<<62
}
