package sqlite

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/tonprobe/tonprobe/server/store"
)

// cursor is the sort key of the last row of a page, and the list it belongs to.
type cursor struct {
	List string  `json:"l"`
	Text string  `json:"t,omitempty"`
	Nums []int64 `json:"n,omitempty"`
	ID   string  `json:"i"`
	// Part is which part of a list with several the row is in.
	Part int `json:"p,omitempty"`
}

const maxCursorBytes = 2048

func (c cursor) String() string {
	b, _ := json.Marshal(c) // strings and numbers only: cannot fail
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor reads a cursor that String wrote for the same list; nums is how
// many numbers that list's key has.
func parseCursor(s, list string, nums int) (cursor, error) {
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
	if c.List != list || len(c.Nums) != nums {
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
