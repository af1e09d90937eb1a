package server

import (
	"context"
	"errors"
	"time"

	"github.com/tonprobe/tonprobe/server/privacy"
)

// erase erases a participant.
func (s *Server) erase(ctx context.Context, participantID string) error {
	err := privacy.Eraser{Store: s.store, Dir: s.config.DataDir, Now: s.config.Now}.Erase(ctx, participantID)
	if unlisted, ok := errors.AsType[*privacy.ListError](err); ok { // syncErased repeats it
		s.config.Log.ErrorContext(ctx, "the list of erased people could not be written", "err", unlisted.Err)
		return nil
	}
	return err
}

// syncErased erases again whom a restored database has brought back, and notes everybody erased in the list
// beside the data. A fault must not keep the collector from running.
func (s *Server) syncErased(ctx context.Context) {
	now := s.config.Now()
	var names time.Time // the oldest that are kept
	if keep := s.config.KeepErasedNames; keep > 0 {
		names = now.Add(-keep)
	}
	n, err := privacy.Sync(ctx, s.store, s.config.DataDir, now, names)
	if n > 0 {
		s.config.Log.Warn("the database contained people who were erased before: they are erased again", "count", n)
		// A database of an older version was copied before, with these people.
		copies, err := privacy.Copies(s.config.DataDir)
		if err != nil {
			s.config.Log.Warn("copies of the database are unknown", "err", err)
		}
		for _, c := range copies {
			s.config.Log.Warn("this copy of a database may still contain erased people: 'tonprobe-collector copies remove' deletes it when it is no longer needed", "file", c.Name)
		}
	}
	if err != nil && ctx.Err() == nil {
		s.config.Log.Error("the list of erased people could not be compared with the database", "err", err)
	}
}
