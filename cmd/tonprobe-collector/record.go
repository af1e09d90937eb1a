package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/tonprobe/tonprobe/server/disturbance"
)

// verifiedRecord is a disturbance record whose checksums match, in JSON.
type verifiedRecord struct {
	Council         string    `json:"council"`
	Title           string    `json:"title"`
	StartsAt        time.Time `json:"starts_at"`
	Entries         int       `json:"entries"`
	Erased          int       `json:"erased"`
	ClosingChecksum string    `json:"closing_checksum,omitempty"`
	Checksum        string    `json:"checksum"`
}

// recordVerify verifies a saved record. It needs no database.
func recordVerify(_ context.Context, t terminal, in *invocation) error {
	b, err := readRecordFile(in.args[0])
	if err != nil {
		return err
	}
	r, err := disturbance.Verify(b)
	if err != nil {
		return fmt.Errorf("%s: %w", in.args[0], err)
	}
	v := verifiedRecord{Council: r.Council, Title: r.Title, StartsAt: r.StartsAt, Entries: len(r.Entries), Erased: r.Erased(),
		ClosingChecksum: r.ClosingHash, Checksum: r.Hash}
	if in.json {
		return printJSON(t.out, v)
	}
	_, err = fmt.Fprintf(t.out, "%q, %s: %d entries, all checksums match.\n", v.Council, v.StartsAt.Format(time.RFC3339), v.Entries)
	if v.Erased > 0 {
		_, _ = fmt.Fprintf(t.out, "Details of deleted people: %d. Their content is gone and cannot be verified.\n", v.Erased)
	}
	if v.ClosingChecksum != "" {
		_, _ = fmt.Fprintf(t.out, "Checksum at closing: %s\n", v.ClosingChecksum)
	}
	_, _ = fmt.Fprintf(t.out, "Checksum:            %s\nCompare it with the one on paper: only that shows that nobody replaced the whole record.\n", v.Checksum)
	return err
}

func readRecordFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, disturbance.MaxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the record: %w", err)
	}
	if len(b) > disturbance.MaxFileBytes {
		return nil, fmt.Errorf("%s: %w: it is larger than %d bytes", path, disturbance.ErrNoRecord, disturbance.MaxFileBytes)
	}
	return b, nil
}
