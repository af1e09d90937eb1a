package spool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// dropsFile contains one JSON object per line.
const dropsFile = "drops.log"

// When drops.log exceeds maxDropsBytes, only the newest keepDrops entries are kept; the
// older ones are summarised in the first line.
const (
	maxDropsBytes = 256 << 10
	keepDrops     = 500
)

// DropKind states what happened to a report that was not delivered.
type DropKind string

// Kinds of drops.
const (
	DropLost        DropKind = "lost"        // deleted, because a limit was reached
	DropQuarantined DropKind = "quarantined" // set aside
)

// DropCounts counts drops by kind.
type DropCounts map[DropKind]int

// earlierDrops is the first line of a shortened drops.log.
type earlierDrops struct {
	Earlier DropCounts `json:"earlier"`
}

// Drop is one report that was not delivered.
type Drop struct {
	At     time.Time `json:"at"`
	ID     string    `json:"id"`
	Kind   DropKind  `json:"kind"`
	Reason string    `json:"reason"`
}

// record appends d. The caller holds the lock.
func (s *Spool) record(d Drop) error {
	d.At = s.now().UTC()
	line, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("record a drop: %w", err)
	}
	// The leading newline terminates a line that a crash has truncated.
	if err := s.fs.AppendSync(dropsFile, slices.Concat([]byte{'\n'}, line, []byte{'\n'})); err != nil {
		return diskError("record a drop", err)
	}
	if err := s.shortenDrops(); err != nil {
		s.log.Warn("drops.log is over its limit", "err", err)
	}
	return nil
}

// shortenDrops keeps drops.log within its limit. The caller holds the lock.
func (s *Spool) shortenDrops() error {
	b, err := s.fs.ReadFile(dropsFile)
	if err != nil || len(b) <= maxDropsBytes {
		return err
	}
	drops, earlier := parseDrops(b)
	old := drops[:max(0, len(drops)-keepDrops)]
	for _, d := range old {
		earlier[d.Kind]++
	}
	var short bytes.Buffer
	lines := json.NewEncoder(&short)
	if err := lines.Encode(earlierDrops{earlier}); err != nil {
		return err
	}
	for _, d := range drops[len(old):] {
		if err := lines.Encode(d); err != nil {
			return err
		}
	}
	return s.replace(dropsFile, short.Bytes())
}

// Drops returns the newest drops, oldest first, and the number of all drops ever
// recorded, by kind. A truncated line is skipped.
func (s *Spool) Drops() ([]Drop, DropCounts, error) {
	b, err := s.fs.ReadFile(dropsFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("read drops: %w", err)
	}
	drops, counts := parseDrops(b)
	for _, d := range drops {
		counts[d.Kind]++
	}
	return drops, counts, nil
}

func parseDrops(b []byte) (drops []Drop, earlier DropCounts) {
	earlier = DropCounts{}
	for line := range bytes.Lines(b) {
		var e earlierDrops
		if json.Unmarshal(line, &e) == nil && e.Earlier != nil {
			earlier = e.Earlier
			continue
		}
		var d Drop
		if json.Unmarshal(line, &d) == nil && d.ID != "" {
			drops = append(drops, d)
		}
	}
	return drops, earlier
}
