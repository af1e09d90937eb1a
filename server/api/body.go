package api

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

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

// readWire reads a body without decompressing it, at most limit bytes.
func readWire(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge("body", e.Limit)
	}
	if err != nil {
		return nil, fault(http.StatusBadRequest, "body_unreadable", "the body ended before it was complete")
	}
	return b, nil
}

func tooLarge(what string, limit int64) *Fault {
	return fault(http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("the %s is larger than %d bytes", what, limit))
}

// checkEncoding rejects encodings that unpack does not support, before it reads the body. Nested
// encodings are not supported, because they serve decompression bombs.
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

// unpack decompresses a body. It never buffers more than limit bytes of the result.
func unpack(packed io.Reader, encoding string, limit int64) ([]byte, error) {
	from := packed
	switch encoding {
	case "gzip":
		z, err := gzip.NewReader(packed)
		if err != nil {
			return nil, unpackFault(err)
		}
		from = z
	case "zstd":
		z, err := zstd.NewReader(packed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderMaxMemory(uint64(limit)))
		if err != nil {
			return nil, unpackFault(err)
		}
		defer z.Close()
		from = z
	}
	b, err := io.ReadAll(io.LimitReader(from, limit+1))
	switch {
	case int64(len(b)) > limit || errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return nil, tooLarge("decompressed body", limit)
	case err != nil:
		return nil, unpackFault(err)
	}
	return b, nil
}

func unpackFault(err error) *Fault {
	if errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return tooLarge("window of the compressed body", zstdWindow)
	}
	return fault(http.StatusBadRequest, "body_malformed", "the compressed body is damaged")
}
