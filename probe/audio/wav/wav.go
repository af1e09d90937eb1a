// Package wav reads the sound of a WAV file as a stream, in blocks, without
// holding more of it than a block.
//
// It is our own because go-audio/wav needs a seekable file, takes 32-bit float
// samples for integers and does not look into WAVE_FORMAT_EXTENSIBLE, which is
// what Windows and sox write for 24 bits.
//
// Formats: Microsoft "Multiple Channel Audio Data and WAVE Files" (2007), RFC
// 2361 for the format codes, EBU Tech 3306 for RF64.
package wav

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Bounds on what a header may claim.
const (
	maxChannels = 64
	maxRateHz   = 768000
	maxChunks   = 1000 // before the sound
	maxFmtBytes = 4096
)

var (
	// ErrNotWAV means that the file is something else.
	ErrNotWAV = errors.New("not a WAV file")
	// ErrFormat means a WAV file whose sound cannot be read.
	ErrFormat = errors.New("this kind of WAV file cannot be read")
	// ErrTruncated means that the file ends before the sound it announces.
	ErrTruncated = errors.New("the WAV file is cut off")
)

// Format codes of RFC 2361.
const (
	codePCM        = 1
	codeFloat      = 3
	codeExtensible = 0xFFFE
)

// subFormatTail is the part of a KSDATAFORMAT_SUBTYPE GUID behind the format code.
var subFormatTail = [14]byte{0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71}

// Format is how the samples lie in the file.
type Format struct {
	RateHz   int
	Channels int
	Bits     int // of one sample in the file: 16, 24 or 32
	Float    bool
}

func (f Format) frameBytes() int { return f.Channels * f.Bits / 8 }

// Reader reads one file.
type Reader struct {
	format Format
	r      io.Reader
	open   bool  // the length is not known: read until the end
	left   int64 // bytes of sound still announced
	err    error
	buf    []byte
}

// NewReader reads the head of a file, up to the first sample.
func NewReader(r io.Reader) (*Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	var head [12]byte
	if _, err := io.ReadFull(b, head[:]); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotWAV, short(err))
	}
	id := string(head[:4])
	if (id != "RIFF" && id != "RF64") || string(head[8:]) != "WAVE" {
		return nil, ErrNotWAV
	}
	w := &Reader{r: b}
	for range maxChunks {
		var chunk [8]byte
		if _, err := io.ReadFull(b, chunk[:]); err != nil {
			return nil, fmt.Errorf("%w: %w before the sound", ErrTruncated, short(err))
		}
		size := binary.LittleEndian.Uint32(chunk[4:])
		switch string(chunk[:4]) {
		case "fmt ":
			f, err := readFormat(b, size)
			if err != nil {
				return nil, err
			}
			w.format = f
		case "data":
			return w.begin(size)
		default:
			if err := skip(b, size); err != nil {
				return nil, err
			}
		}
	}
	return nil, fmt.Errorf("%w: no sound within %d chunks", ErrFormat, maxChunks)
}

// begin starts at the data chunk. Programs that write to a pipe cannot know
// its size and leave 0 or the largest number; RF64 keeps the true one elsewhere.
func (w *Reader) begin(size uint32) (*Reader, error) {
	if w.format.Channels == 0 {
		return nil, fmt.Errorf("%w: the sound comes before its format", ErrFormat)
	}
	w.open = size == 0 || size >= math.MaxUint32-1 || size == 0x7FFFFFFF
	w.left = int64(size)
	return w, nil
}

// Format is how the sound lies in the file.
func (w *Reader) Format() Format { return w.format }

// Read fills dst with interleaved samples, ±1 being full scale, always whole
// frames. It returns io.EOF at the end and ErrTruncated when the file stops
// early, after all samples that are there.
func (w *Reader) Read(dst []float32) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	frames := len(dst) / w.format.Channels
	if frames == 0 {
		return 0, io.ErrShortBuffer
	}
	want := frames * w.format.frameBytes()
	if !w.open {
		want = int(min(int64(want), w.left))
	}
	if cap(w.buf) < want {
		w.buf = make([]byte, want)
	}
	got, err := io.ReadFull(w.r, w.buf[:want])
	w.left -= int64(got)
	w.err = w.after(err, got)
	whole := got - got%w.format.frameBytes()
	n := w.format.decode(dst, w.buf[:whole])
	if n == 0 {
		return 0, w.err
	}
	return n, nil
}

// after says how to go on after a read of some bytes.
func (w *Reader) after(err error, got int) error {
	atEnd := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	switch {
	case err != nil && !atEnd:
		return fmt.Errorf("read WAV file: %w", err)
	case atEnd && w.open && got%w.format.frameBytes() == 0:
		return io.EOF
	case atEnd:
		return ErrTruncated
	case !w.open && w.left < int64(w.format.frameBytes()):
		return io.EOF
	}
	return nil
}

// decode turns whole samples into floats and returns how many.
func (f Format) decode(dst []float32, src []byte) int {
	size := f.Bits / 8
	n := len(src) / size
	for i := range n {
		b := src[i*size:]
		switch {
		case f.Float:
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(b))
		case size == 2:
			dst[i] = float32(int16(binary.LittleEndian.Uint16(b))) / (1 << 15)
		case size == 3:
			dst[i] = float32(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24)) / (1 << 31)
		default:
			dst[i] = float32(int32(binary.LittleEndian.Uint32(b))) / (1 << 31)
		}
	}
	return n
}

// readFormat reads a "fmt " chunk of 16, 18 or 40 bytes.
func readFormat(r io.Reader, size uint32) (Format, error) {
	if size < 16 || size > maxFmtBytes {
		return Format{}, fmt.Errorf("%w: a format of %d bytes", ErrFormat, size)
	}
	b := make([]byte, size+size%2)
	if _, err := io.ReadFull(r, b); err != nil {
		return Format{}, fmt.Errorf("%w: %w in the format", ErrTruncated, short(err))
	}
	code := binary.LittleEndian.Uint16(b)
	channels, rate := binary.LittleEndian.Uint16(b[2:]), binary.LittleEndian.Uint32(b[4:])
	align, bits := binary.LittleEndian.Uint16(b[12:]), binary.LittleEndian.Uint16(b[14:])
	if code == codeExtensible {
		if size < 40 || [14]byte(b[26:40]) != subFormatTail {
			return Format{}, fmt.Errorf("%w: an unknown extensible format", ErrFormat)
		}
		code = binary.LittleEndian.Uint16(b[24:])
	}
	f := Format{RateHz: int(rate), Channels: int(channels), Bits: int(bits), Float: code == codeFloat}
	switch {
	case channels == 0 || channels > maxChannels:
		return Format{}, fmt.Errorf("%w: %d channels", ErrFormat, channels)
	case rate == 0 || rate > maxRateHz:
		return Format{}, fmt.Errorf("%w: a rate of %d Hz", ErrFormat, rate)
	case code == codePCM && bits != 16 && bits != 24 && bits != 32:
		return Format{}, fmt.Errorf("%w: %d-bit samples; 16, 24 and 32 can be read", ErrFormat, bits)
	case code == codeFloat && bits != 32:
		return Format{}, fmt.Errorf("%w: %d-bit float samples; 32 can be read", ErrFormat, bits)
	case code != codePCM && code != codeFloat:
		return Format{}, fmt.Errorf("%w: compressed sound (format %#x); save it as PCM", ErrFormat, code)
	case int(align) != f.frameBytes():
		return Format{}, fmt.Errorf("%w: frames of %d bytes instead of %d", ErrFormat, align, f.frameBytes())
	}
	return f, nil
}

// skip passes over a chunk and its padding to an even length.
func skip(r io.Reader, size uint32) error {
	if _, err := io.CopyN(io.Discard, r, int64(size)+int64(size%2)); err != nil {
		return fmt.Errorf("%w: %w before the sound", ErrTruncated, short(err))
	}
	return nil
}

// short words the end of a file for a person.
func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it ends")
	}
	return err
}
