package store

import (
	"context"
	"time"
)

// OwnPages stores who may open the page about themselves: the hash of a code that an agent of the
// participant requested, and then that of the visit that began with it. Neither is valid any more
// once the agent is revoked, or its participant blocked or erased.
type OwnPages interface {
	// AddOwnPageCode stores a code, instead of an unused one of the same agent. ErrNotFound means that the
	// agent is unknown or revoked, or its participant blocked.
	AddOwnPageCode(ctx context.Context, agentID string, code Hash, expires time.Time) error
	// OpenOwnPage redeems a code for a visit until expires. ErrNotFound means that the code is unknown, used
	// or expired.
	OpenOwnPage(ctx context.Context, code, visit Hash, now, expires time.Time) (participantID string, err error)
	// OwnPage returns the participant of a visit, or ErrNotFound.
	OwnPage(ctx context.Context, visit Hash, now time.Time) (participantID string, err error)
	CloseOwnPage(ctx context.Context, visit Hash) error
}
