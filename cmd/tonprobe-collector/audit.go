package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

// record adds an entry about this command to the audit log. Nobody is signed in here, so the entry
// has no name.
func record(ctx context.Context, s *sqlstore.Store, kind store.AuditKind, participantID, subject string) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("draw the id of an entry: %w", err)
	}
	return s.AddAuditEntry(ctx, store.AuditEntry{ID: id.String(), At: time.Now(), Kind: kind, ParticipantID: participantID, Subject: subject})
}
