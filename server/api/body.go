package api

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// wantType rejects a body of another media type. Requiring JSON also excludes HTML forms of other
// sites.
func wantType(r *http.Request, want string) error {
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || got != want {
		return fault(http.StatusUnsupportedMediaType, "content_type", "Content-Type must be "+want)
	}
	return nil
}

// initialBuffer is the initial size of the buffer for a body: most bodies are smaller, and a client
// that declares a long one has not sent it yet.
const initialBuffer = 16 << 10

// readWire reads a body without decompressing it, at most limit bytes.
func readWire(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	size := r.ContentLength + bytes.MinRead // ReadFrom needs room to detect the end
	if r.ContentLength < 0 || size > initialBuffer {
		size = initialBuffer
	}
	b := bytes.NewBuffer(make([]byte, 0, size))
	_, err := b.ReadFrom(http.MaxBytesReader(w, r.Body, limit))
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge("body", e.Limit)
	}
	if err != nil {
		return nil, fault(http.StatusBadRequest, "body_unreadable", "the body ended before it was complete")
	}
	return b.Bytes(), nil
}

func tooLarge(what string, limit int64) *Fault {
	return fault(http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("the %s is larger than %d bytes", what, limit))
}

// checkEncoding rejects encodings that unpack does not support, before the body is read. Nested
// encodings are not supported, because decompression bombs use them.
func checkEncoding(w http.ResponseWriter, r *http.Request) (string, error) {
	encoding := strings.ToLower(strings.TrimSpace(strings.Join(r.Header.Values("Content-Encoding"), ",")))
	switch encoding {
	case "", "identity", "gzip", "zstd":
		return encoding, nil
	}
	w.Header().Set("Accept-Encoding", "gzip, zstd") // RFC 9110 §12.5.3
	return "", fault(http.StatusUnsupportedMediaType, "content_encoding", "Content-Encoding must be gzip, zstd or none")
}

// zstdWindow is the largest permitted window of a frame. The decoder allocates it regardless of the
// content, so the limit of the content does not apply to it.
const zstdWindow = 8 << 20

// unpacker decompresses bodies. It reuses the gzip readers, since agents send gzip and a new reader
// takes 40 kB.
type unpacker struct{ gzip sync.Pool }

// unpack decompresses a body. It never buffers more than limit bytes of the result.
func (u *unpacker) unpack(packed []byte, encoding string, limit int64) ([]byte, error) {
	from := io.Reader(bytes.NewReader(packed))
	size := initialBuffer
	switch encoding {
	case "gzip":
		z, reused := u.gzip.Get().(*gzip.Reader)
		if !reused {
			z = new(gzip.Reader)
		}
		defer u.gzip.Put(z)
		if err := z.Reset(from); err != nil {
			return nil, unpackFault(err)
		}
		from = z
		// The last four bytes contain the size (RFC 1952, section 2.3.1), as claimed by the client.
		size = int(min(binary.LittleEndian.Uint32(packed[len(packed)-4:]), initialBuffer)) + bytes.MinRead
	case "zstd":
		z, err := zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderMaxMemory(uint64(limit)))
		if err != nil {
			return nil, unpackFault(err)
		}
		defer z.Close()
		from = z
	default:
		if int64(len(packed)) > limit {
			return nil, tooLarge("decompressed body", limit)
		}
		return packed, nil
	}
	plain, err := readUpTo(from, size, limit+1)
	switch {
	case int64(len(plain)) > limit || errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return nil, tooLarge("decompressed body", limit)
	case err != nil:
		return nil, unpackFault(err)
	}
	return plain, nil
}

// readUpTo reads until the end or limit bytes. Its buffer starts with size bytes and never
// grows beyond limit, unlike a bytes.Buffer, which doubles: a compression bomb would
// allocate four times the limit.
func readUpTo(from io.Reader, size int, limit int64) ([]byte, error) {
	buf := make([]byte, 0, min(int64(max(size, 512)), limit))
	for {
		n, err := from.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case errors.Is(err, io.EOF), err == nil && int64(len(buf)) == limit:
			return buf, nil
		case err != nil:
			return buf, err
		case len(buf) == cap(buf):
			larger := make([]byte, len(buf), min(2*int64(cap(buf)), limit))
			copy(larger, buf)
			buf = larger
		}
	}
}

func unpackFault(err error) *Fault {
	if errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return tooLarge("window of the compressed body", zstdWindow)
	}
	return fault(http.StatusBadRequest, "body_malformed", "the compressed body is damaged")
}
