package api

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/media/wire/kerneltcp"
	"github.com/tonprobe/tonprobe/server/oneport"
)

const bytesType = "application/octet-stream"

// uploadLoad discards the body and returns how fast it arrived.
func (a *API) uploadLoad(w http.ResponseWriter, r *http.Request, c caller) error {
	if err := wantType(r, bytesType); err != nil {
		return err
	}
	if r.ContentLength > wire.MaxLoadBytes {
		return tooLarge("body", wire.MaxLoadBytes)
	}
	leave, err := a.load.enter(c.ID)
	if err != nil {
		return err
	}
	moved := int64(0)
	defer func() { leave(moved) }()
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(loadLimit))
	run := a.loadRuns.find(c.ID, r.URL.Query().Get(wire.LoadRun))
	upload, end := run.start(directTCP(r))
	defer end()
	receipt, err := receive(http.MaxBytesReader(w, r.Body, wire.MaxLoadBytes), func(n int) {
		moved += int64(n)
		upload.read(n)
	})
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge("body", e.Limit)
	}
	if err != nil {
		return fault(http.StatusBadRequest, "body_unreadable", "the body ended before it was complete")
	}
	run.ended()
	writeJSON(w, http.StatusOK, receipt)
	return nil
}

// directTCP returns the agent's TCP connection; nil if it is unknown or belongs to a proxy. The
// segments that the kernel counts would then be those between proxy and collector. Their sizes
// differ, and counting them as full would report more than the line carries.
func directTCP(r *http.Request) net.Conn {
	for _, header := range []string{"Forwarded", "X-Forwarded-For", "Via"} { // RFC 7239, RFC 9110 §7.6.3
		if r.Header.Get(header) != "" {
			return nil
		}
	}
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err != nil || from.Addr().Unmap().IsLoopback() {
		return nil
	}
	return oneport.TCP(r.Context())
}

// receive uses the monotonic clock of time.Now, because a.Now may jump.
func receive(body io.Reader, arrived func(int)) (wire.LoadReceipt, error) {
	b := make([]byte, 32<<10)
	var first, last time.Time
	var total int64
	for {
		n, err := body.Read(b)
		if n > 0 {
			arrived(n)
			last = time.Now()
			if first.IsZero() {
				first = last
			} else {
				total += int64(n)
			}
		}
		if errors.Is(err, io.EOF) {
			return wire.LoadReceipt{Bytes: total, MS: float64(last.Sub(first)) / float64(time.Millisecond)}, nil
		}
		if err != nil {
			return wire.LoadReceipt{}, err
		}
	}
}

// downloadLoad sends the requested number of incompressible bytes.
func (a *API) downloadLoad(w http.ResponseWriter, r *http.Request, c caller) error {
	n, err := strconv.ParseInt(r.URL.Query().Get("bytes"), 10, 64)
	if err != nil || n < 1 || n > wire.MaxLoadBytes {
		return fault(http.StatusBadRequest, "bytes_invalid", "bytes must be 1 to "+strconv.Itoa(wire.MaxLoadBytes))
	}
	leave, err := a.load.enter(c.ID)
	if err != nil {
		return err
	}
	moved := int64(0)
	defer func() { leave(moved) }()
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(loadLimit))
	kerneltcp.FillQueues(oneport.TCP(r.Context()))
	w.Header().Set("Content-Type", bytesType)
	w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
	w.Header().Set("Cache-Control", "no-store")
	// The seed may be constant: it is sufficient that no middlebox can compress the bytes.
	moved, _ = io.CopyN(w, rand.NewChaCha8([32]byte{}), n) // the agent disconnects when its time is over
	return nil
}
