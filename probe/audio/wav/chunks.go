package wav

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// container is a way to store chunks in a file: RIFF with its 64-bit variant RF64
// (EBU Tech 3306; BW64 of ITU-R BS.2088 differs only in name), or Sony Wave64, which
// names chunks by GUIDs.
type container struct {
	wave64 bool
	// dataBytes is the length of the samples from the ds64 chunk of an RF64 file; 0
	// if it is absent.
	dataBytes uint64
}

// The GUIDs of Wave64 after the four letters of the name.
var (
	wave64RIFF = [12]byte{0x2E, 0x91, 0xCF, 0x11, 0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1, 0x00, 0x00}
	wave64Rest = [12]byte{0xF3, 0xAC, 0xD3, 0x11, 0x8C, 0xD1, 0x00, 0xC0, 0x4F, 0x8E, 0xDB, 0x8A}
)

const wave64Head = 24 // size of a chunk header, which is included in the size of the chunk

// open reads the header of the file.
func open(b *bufio.Reader) (container, error) {
	var head [12]byte
	if _, err := io.ReadFull(b, head[:]); err != nil {
		return container{}, fmt.Errorf("%w: %w", ErrNotWAV, short(err))
	}
	switch id := string(head[:4]); {
	case (id == "RIFF" || id == "RF64" || id == "BW64") && string(head[8:]) == "WAVE":
		return container{}, nil
	case id != "riff":
		return container{}, ErrNotWAV
	}
	var rest [28]byte // rest of the GUID, the length, and the GUID of "wave"
	if _, err := io.ReadFull(b, rest[:]); err != nil {
		return container{}, fmt.Errorf("%w: %w", ErrNotWAV, short(err))
	}
	guid := append(head[4:12:12], rest[:4]...)
	if [12]byte(guid) != wave64RIFF || string(rest[12:16]) != "wave" || [12]byte(rest[16:28]) != wave64Rest {
		return container{}, ErrNotWAV
	}
	return container{wave64: true}, nil
}

// next reads the header of a chunk: its name and the size of its content.
func (c container) next(b *bufio.Reader) (name string, size uint64, err error) {
	length := 8
	if c.wave64 {
		length = wave64Head
	}
	head := make([]byte, length)
	if _, err := io.ReadFull(b, head); err != nil {
		return "", 0, fmt.Errorf("%w: %w before the sound", ErrTruncated, short(err))
	}
	name = string(head[:4])
	if !c.wave64 {
		return name, uint64(binary.LittleEndian.Uint32(head[4:])), nil
	}
	if [12]byte(head[4:16]) != wave64Rest {
		name = "" // a chunk of another kind
	}
	size = binary.LittleEndian.Uint64(head[16:])
	if size < wave64Head {
		return "", 0, fmt.Errorf("%w: a chunk of %d bytes", ErrFormat, size)
	}
	return name, size - wave64Head, nil
}

// padding returns the number of bytes to an even length, in Wave64 to a multiple of 8.
func (c container) padding(size uint64) uint64 {
	if c.wave64 {
		return -size & 7
	}
	return size & 1
}

// skip discards a chunk.
func (c container) skip(b *bufio.Reader, size uint64) error {
	if size > math.MaxInt64-8 {
		return fmt.Errorf("%w: a chunk of %d bytes", ErrFormat, size)
	}
	if _, err := io.CopyN(io.Discard, b, int64(size+c.padding(size))); err != nil {
		return fmt.Errorf("%w: %w before the sound", ErrTruncated, short(err))
	}
	return nil
}

// skipPadding discards the padding after a chunk that has been read.
func (c container) skipPadding(b *bufio.Reader, size uint64) error {
	if _, err := io.CopyN(io.Discard, b, int64(c.padding(size))); err != nil {
		return fmt.Errorf("%w: %w before the sound", ErrTruncated, short(err))
	}
	return nil
}

// readDS64 reads the chunk with the lengths of an RF64 file.
func (c *container) readDS64(b *bufio.Reader, size uint64) error {
	var lengths [16]byte // of the file, of the samples
	if size < uint64(len(lengths)) {
		return fmt.Errorf("%w: a ds64 chunk of %d bytes", ErrFormat, size)
	}
	if _, err := io.ReadFull(b, lengths[:]); err != nil {
		return fmt.Errorf("%w: %w before the sound", ErrTruncated, short(err))
	}
	c.dataBytes = binary.LittleEndian.Uint64(lengths[8:])
	return c.skip(b, size-uint64(len(lengths)))
}

// soundBytes returns the length of the samples in a data chunk with the given size,
// and whether it is known. Programs that write to a pipe do not know it and write 0 or a
// number near the maximum (sox: about 0x7FFFF000).
func (c container) soundBytes(size uint64) (bytes int64, known bool) {
	if !c.wave64 && size == math.MaxUint32 && c.dataBytes > 0 {
		size = c.dataBytes
	} else if !c.wave64 && (size >= math.MaxUint32-1 || size >= 0x7FFFF000 && size <= math.MaxInt32) {
		return 0, false
	}
	return int64(size), size > 0 && size <= math.MaxInt64
}
