package sqlstore

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/tonprobe/tonprobe/server/store"
)

// cursor is the sort key of the last row of a page, and the list it belongs to.
type cursor struct {
	List string `json:"l"`
	Text string `json:"t,omitempty"`
	At   int64  `json:"a,omitempty"` // Unix milliseconds
	ID   string `json:"i"`
	// Part is which part of a list with several the row is in.
	Part int `json:"p,omitempty"`
}

const maxCursorBytes = 2048

func (c cursor) String() string {
	b, _ := json.Marshal(c) // strings and numbers only: cannot fail
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor parses a cursor that String wrote for the same list.
func parseCursor(s, list string) (cursor, error) {
	var c cursor
	if len(s) > maxCursorBytes {
		return c, fmt.Errorf("%w: %d bytes", store.ErrBadCursor, len(s))
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return c, fmt.Errorf("%w: %w", store.ErrBadCursor, err)
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return c, fmt.Errorf("%w: %w", store.ErrBadCursor, err)
	}
	if c.List != list || c.Part < 0 {
		return c, store.ErrBadCursor
	}
	return c, nil
}

func pageSize(limit int) int {
	if limit <= 0 {
		return store.DefaultPage
	}
	return min(limit, store.MaxPage)
}
