package intake

import (
	"strings"
	"time"
)

// unread are the events of a calendar that could not be read.
type unread struct {
	uids   map[string]bool
	hashed map[string]bool // beginnings of those that short replaces by a hash
}

// recurrence is the form of the original start that follows the UID of a recurrence.
const recurrence = "/20060102T150405Z"

func newUnread(uids []string) *unread {
	u := &unread{map[string]bool{}, map[string]bool{}}
	for _, uid := range uids {
		u.uids[uid] = true
		if id := uid + recurrence; short(id) != id {
			u.hashed[beginning(short(id))] = true
		}
	}
	return u
}

// has reports whether a stored session may be one of an event that could not be read. If only the
// beginning of its long UID is known, it may be.
func (u *unread) has(sourceUID string) bool {
	if u == nil {
		return false
	}
	if u.uids[sourceUID] || u.hashed[beginning(sourceUID)] {
		return true
	}
	i := len(sourceUID) - len(recurrence)
	if i <= 0 {
		return false
	}
	_, err := time.Parse(recurrence, sourceUID[i:])
	return err == nil && u.uids[sourceUID[:i]]
}

// beginning returns what short keeps of a long identifier, or "".
func beginning(id string) string {
	if i := strings.LastIndexByte(id, '#'); i > 0 && len(id)-i == 1+64 {
		return id[:i]
	}
	return ""
}
