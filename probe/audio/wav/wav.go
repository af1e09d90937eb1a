// Package wav reads the samples of a WAV file as a stream, one block at a time.
//
// It replaces go-audio/wav, which requires a seekable file, treats 32-bit float
// samples as integers and does not support WAVE_FORMAT_EXTENSIBLE, which Windows and sox
// write for 24 bits.
//
// Formats: Microsoft "Multiple Channel Audio Data and WAVE Files" (2007), RFC
// 2361 for the format codes, EBU Tech 3306 for RF64, Sony's Wave64.
package wav

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Limits for the values in a header.
const (
	maxChannels = 64
	maxRateHz   = 768000
	maxChunks   = 1000 // before the samples
	maxFmtBytes = 4096
)

var (
	// ErrNotWAV means that the file has another format.
	ErrNotWAV = errors.New("not a WAV file")
	// ErrFormat means that the sample format of a WAV file is not supported.
	ErrFormat = errors.New("unsupported kind of WAV file")
	// ErrTruncated means that the file ends before the announced number of samples.
	ErrTruncated = errors.New("the WAV file is truncated")
)

// Format codes of RFC 2361.
const (
	codePCM        = 1
	codeFloat      = 3
	codeALaw       = 6
	codeMuLaw      = 7
	codeExtensible = 0xFFFE
)

// subFormatTail is the part of a KSDATAFORMAT_SUBTYPE GUID after the format code.
var subFormatTail = [14]byte{0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71}

// Format is the sample format of a file.
type Format struct {
	RateHz   int
	Channels int
	Bits     int // per sample in the file: 8, 16, 24, 32 or 64
	Coding   Coding
}

// Coding is the encoding of a sample.
type Coding int

// Supported encodings.
const (
	Integer Coding = iota
	Float
	ALaw  // ITU-T G.711
	MuLaw // ITU-T G.711
)

func (f Format) frameBytes() int { return f.Channels * f.Bits / 8 }

// Reader reads one file.
type Reader struct {
	format Format
	r      io.Reader
	open   bool  // the length is unknown: read until the end
	left   int64 // bytes of samples that remain
	err    error
	buf    []byte
}

// NewReader reads the header of a file up to the first sample.
func NewReader(r io.Reader) (*Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	c, err := open(b)
	if err != nil {
		return nil, err
	}
	w := &Reader{r: b}
	for range maxChunks {
		name, size, err := c.next(b)
		if err != nil {
			return nil, err
		}
		switch name {
		case "fmt ":
			w.format, err = readFormat(b, size)
			if err == nil {
				err = c.skipPadding(b, size)
			}
		case "ds64":
			err = c.readDS64(b, size)
		case "data":
			return w.begin(c, size)
		default:
			err = c.skip(b, size)
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: no sound within %d chunks", ErrFormat, maxChunks)
}

// begin starts at the data chunk.
func (w *Reader) begin(c container, size uint64) (*Reader, error) {
	if w.format.Channels == 0 {
		return nil, fmt.Errorf("%w: the sound comes before its format", ErrFormat)
	}
	left, known := c.soundBytes(size)
	w.open, w.left = !known, left
	return w, nil
}

// Format returns the sample format of the file.
func (w *Reader) Format() Format { return w.format }

// Read fills dst with interleaved samples, ±1 being full scale, always in whole frames.
// At the end it returns io.EOF, or ErrTruncated if the file ends early, after all samples
// that are present.
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

// after returns the error of Read after got bytes were read.
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

// decode converts whole samples and returns their number.
func (f Format) decode(dst []float32, src []byte) int {
	size := f.Bits / 8
	n := len(src) / size
	for i := range n {
		dst[i] = f.sample(src[i*size:])
	}
	return n
}

// sample decodes the first sample in b. Integers of 8 bits are unsigned with an offset
// of 128, wider ones are signed.
func (f Format) sample(b []byte) float32 {
	le := binary.LittleEndian
	switch {
	case f.Coding == ALaw:
		return aLaw(b[0])
	case f.Coding == MuLaw:
		return muLaw(b[0])
	case f.Coding == Float && f.Bits == 64:
		return float32(math.Float64frombits(le.Uint64(b)))
	case f.Coding == Float:
		return math.Float32frombits(le.Uint32(b))
	case f.Bits == 8:
		return float32(int(b[0])-128) / (1 << 7)
	case f.Bits == 16:
		return float32(int16(le.Uint16(b))) / (1 << 15)
	case f.Bits == 24:
		return float32(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24)) / (1 << 31)
	}
	return float32(int32(le.Uint32(b))) / (1 << 31)
}

// readFormat reads a "fmt " chunk of 16, 18 or 40 bytes.
func readFormat(r io.Reader, size uint64) (Format, error) {
	if size < 16 || size > maxFmtBytes {
		return Format{}, fmt.Errorf("%w: a format of %d bytes", ErrFormat, size)
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(r, b); err != nil {
		return Format{}, fmt.Errorf("%w: %w in the format", ErrTruncated, short(err))
	}
	code := binary.LittleEndian.Uint16(b)
	channels, rate := binary.LittleEndian.Uint16(b[2:]), binary.LittleEndian.Uint32(b[4:])
	align, bits := int(binary.LittleEndian.Uint16(b[12:])), int(binary.LittleEndian.Uint16(b[14:]))
	if code == codeExtensible {
		if size < 40 || [14]byte(b[26:40]) != subFormatTail {
			return Format{}, fmt.Errorf("%w: an unknown extensible format", ErrFormat)
		}
		code = binary.LittleEndian.Uint16(b[24:])
	}
	switch {
	case channels == 0 || channels > maxChannels:
		return Format{}, fmt.Errorf("%w: %d channels", ErrFormat, channels)
	case rate == 0 || rate > maxRateHz:
		return Format{}, fmt.Errorf("%w: a rate of %d Hz", ErrFormat, rate)
	}
	f := Format{RateHz: int(rate), Channels: int(channels), Bits: bits}
	known := false
	switch code {
	case codePCM:
		// Samples of fewer bits occupy the upper bits of whole bytes.
		f.Bits = (bits + 7) / 8 * 8
		known = bits >= 8 && bits <= 32
	case codeFloat:
		f.Coding = Float
		known = bits == 32 || bits == 64
	case codeALaw:
		f.Coding = ALaw
		known = bits == 8
	case codeMuLaw:
		f.Coding = MuLaw
		known = bits == 8
	default:
		return Format{}, fmt.Errorf("%w: compressed sound (format %#x); save it as PCM", ErrFormat, code)
	}
	switch {
	case !known:
		return Format{}, fmt.Errorf("%w: %d-bit samples of format %#x", ErrFormat, bits, code)
	case align != f.frameBytes():
		return Format{}, fmt.Errorf("%w: frames of %d bytes instead of %d", ErrFormat, align, f.frameBytes())
	}
	return f, nil
}

// short replaces an unexpected end of the file by an error in plain words.
func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it is truncated")
	}
	return err
}
