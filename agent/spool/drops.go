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

// dropsFile holds one JSON object a line.
const dropsFile = "drops.log"

// DropKind says what became of a report that was not delivered.
type DropKind string

// The kinds of drops.
const (
	DropLost        DropKind = "lost"        // deleted, the caps were reached
	DropQuarantined DropKind = "quarantined" // kept aside
)

// Drop is one report that was not delivered.
type Drop struct {
	At     time.Time `json:"at"`
	ID     string    `json:"id"`
	Kind   DropKind  `json:"kind"`
	Reason string    `json:"reason"`
}

func (s *Spool) record(d Drop) error {
	d.At = s.now().UTC()
	line, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("record a drop: %w", err)
	}
	// The leading newline ends a line that a crash cut off.
	if err := s.fs.AppendSync(dropsFile, slices.Concat([]byte{'\n'}, line, []byte{'\n'})); err != nil {
		return diskError("record a drop", err)
	}
	return nil
}

// Drops returns every drop that was recorded, oldest first. A line that a
// crash cut off is left out.
func (s *Spool) Drops() ([]Drop, error) {
	b, err := s.fs.ReadFile(dropsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read drops: %w", err)
	}
	var drops []Drop
	for line := range bytes.Lines(b) {
		var d Drop
		if json.Unmarshal(line, &d) == nil && d.ID != "" {
			drops = append(drops, d)
		}
	}
	return drops, nil
}
