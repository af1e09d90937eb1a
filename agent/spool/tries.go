package spool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
)

// triesFile contains a [Tries] as JSON.
const triesFile = "tries.json"

// Tries records the waiting reports that make the collector fail. It is stored on
// disk because a program started by hand makes only a few attempts before it ends.
type Tries struct {
	// Accepted counts the reports that the collector accepted since the first
	// strike.
	Accepted int64 `json:"accepted"`
	// BatchLimit limits the next request; 0 means no limit.
	BatchLimit int `json:"batch_limit,omitempty"`
	// Reports contains the reports that failed when sent alone, by id.
	Reports map[string]Try `json:"reports"`
}

// Try is the record of one report.
type Try struct {
	Strikes int `json:"strikes"`
	// Accepted is the value of Tries.Accepted at the last strike.
	Accepted int64 `json:"accepted"`
}

// Strike records that the report failed when sent alone, and returns its number of
// strikes. A failure counts only if the collector has accepted another report since
// the last strike: while it accepts none, the report is not the suspect.
func (t *Tries) Strike(id string) int {
	last, struck := t.Reports[id]
	if struck && t.Accepted <= last.Accepted {
		return last.Strikes
	}
	if t.Reports == nil {
		t.Reports = map[string]Try{}
	}
	t.Reports[id] = Try{last.Strikes + 1, t.Accepted}
	return last.Strikes + 1
}

// Accept records that the collector accepted the report.
func (t *Tries) Accept(id string) {
	t.Accepted++
	delete(t.Reports, id)
}

// Blank reports whether t contains nothing worth storing.
func (t *Tries) Blank() bool { return len(t.Reports) == 0 && t.BatchLimit == 0 }

// Tries returns the stored record. A damaged record counts as empty: the next
// responses of the collector restore it.
func (s *Spool) Tries() (Tries, error) {
	var t Tries
	b, err := s.fs.ReadFile(triesFile)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return t, fmt.Errorf("read attempts: %w", err)
	}
	if json.Unmarshal(b, &t) != nil {
		return Tries{}, nil
	}
	return t, nil
}

// SaveTries stores t without the reports that no longer wait.
func (s *Spool) SaveTries(ctx context.Context, t Tries) error {
	waiting, err := s.List(Waiting)
	if err != nil {
		return fmt.Errorf("save attempts: %w", err)
	}
	waits := make(map[string]bool, len(waiting))
	for _, e := range waiting {
		waits[e.ID] = true
	}
	t.Reports = maps.Clone(t.Reports)
	maps.DeleteFunc(t.Reports, func(id string, _ Try) bool { return !waits[id] })
	b, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("save attempts: %w", err)
	}
	unlock, err := s.lock.Lock(ctx, lockFiles)
	if err != nil {
		return fmt.Errorf("save attempts: %w", err)
	}
	defer unlock()
	return s.replace(triesFile, b)
}

// replace writes a whole file. The caller holds the lock.
func (s *Spool) replace(name string, data []byte) error {
	temp := tempPrefix + name
	err := s.fs.WriteSync(temp, data)
	if err == nil {
		err = s.fs.Rename(temp, name)
	}
	if err != nil {
		_ = s.fs.Remove(temp)
		return diskError("write "+name, err)
	}
	if err := s.fs.SyncDir("."); err != nil {
		return diskError("write "+name, err)
	}
	return nil
}
