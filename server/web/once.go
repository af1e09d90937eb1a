package web

import (
	"encoding/base64"
	"io"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/server/enroll"
)

// Limits of shownCodes.
const (
	maxShownCodes = 500
	shownFor      = 30 * time.Minute
)

// shownCodes makes forms that create a code idempotent. A form contains a random key. If it is
// submitted again, because somebody reloads the page, the existing code is shown again and no
// second participant is added. The codes are kept in memory for a short time only; the store
// contains only their hashes.
type shownCodes struct {
	mu    sync.Mutex
	byKey map[string]shownCode
}

type shownCode struct {
	enroll.Invitation
	at time.Time
}

func newShownCodes() *shownCodes { return &shownCodes{byKey: map[string]shownCode{}} }

// newFormKey generates the key of a form.
func (s *site) newFormKey() string {
	b := make([]byte, 16)
	if _, err := io.ReadFull(s.Random, b); err != nil {
		return "" // the form is not idempotent then
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func (c *shownCodes) find(key string, now time.Time) (enroll.Invitation, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.byKey[key]
	return found.Invitation, ok && key != "" && now.Sub(found.at) < shownFor
}

func (c *shownCodes) keep(key string, i enroll.Invitation, now time.Time) {
	if key == "" || len(key) > 64 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, old := range c.byKey {
		if now.Sub(old.at) >= shownFor {
			delete(c.byKey, k)
		}
	}
	if len(c.byKey) < maxShownCodes {
		c.byKey[key] = shownCode{i, now}
	}
}
