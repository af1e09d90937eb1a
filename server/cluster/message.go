package cluster

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tonprobe/tonprobe/server/live"
)

const (
	// format is the version of the messages. Those of other versions are ignored.
	format = "tonprobe1"
	// maxPayload is the limit of a notification, less than the 8,000 bytes of PostgreSQL.
	maxPayload = 7900
	idBytes    = 16
)

// message is what one notification carries. Collectors of other versions may add fields.
type message struct {
	Serial uint64 `json:"n"` // of the sender, without gaps
	// At is the time of the sender in milliseconds since 1970. It serves to refuse a message that was
	// recorded and is sent again.
	At int64 `json:"at"`
	// Targets is the digest of the list of conference systems, see Config.Targets.
	Targets string `json:"targets,omitempty"`
	// Missed is set if events were not sent.
	Missed bool `json:"missed,omitempty"`
	// Begin and End enclose the states of all agents of the sender.
	Begin bool `json:"begin,omitempty"`
	End   bool `json:"end,omitempty"`
	// Leaving is set in the last message.
	Leaving bool `json:"leaving,omitempty"`
	// Request contains the names of collectors that are to send the states of all their agents, or "*"
	// for all collectors.
	Request []string          `json:"tell,omitempty"`
	Events  []json.RawMessage `json:"events,omitempty"` // of live.Event
	Agents  []json.RawMessage `json:"agents,omitempty"` // of live.Announcement
	Orders  []json.RawMessage `json:"orders,omitempty"` // of addressed
}

// addressed is an order for one collector, or for all if To is empty.
type addressed struct {
	To    string     `json:"to,omitempty"`
	Order live.Order `json:"o"`
}

// event is a live.Event.
type event struct {
	Kind          live.Kind `json:"k"`
	ParticipantID string    `json:"p,omitempty"`
	ReportID      string    `json:"r,omitempty"`
}

// codec seals messages, so that other programs with access to the database cannot forge them.
type codec struct {
	name string // of this collector
	key  []byte
}

func (c codec) mac(from, body string) string {
	m := hmac.New(sha256.New, c.key)
	_, _ = m.Write([]byte(format + " " + from + " " + body))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:16])
}

func (c codec) seal(m message) (string, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("encode a message to other collectors: %w", err)
	}
	return format + " " + c.name + " " + c.mac(c.name, string(b)) + " " + string(b), nil
}

// errForeign means that a notification is not from a collector with the same key.
var errForeign = errors.New("not a message of a collector of this database")

// open returns the message in a payload. own is set if this collector sent it; m is not decoded then.
func (c codec) open(payload string) (from string, m message, own bool, err error) {
	parts := strings.SplitN(payload, " ", 4)
	if len(payload) > maxPayload || len(parts) != 4 || parts[0] != format || len(parts[1]) > 2*idBytes {
		return "", m, false, errForeign
	}
	from = parts[1]
	if !hmac.Equal([]byte(parts[2]), []byte(c.mac(from, parts[3]))) {
		return "", m, false, errForeign
	}
	if from == c.name {
		return from, m, true, nil
	}
	if err := json.Unmarshal([]byte(parts[3]), &m); err != nil {
		return "", m, false, fmt.Errorf("%w: %w", errForeign, err)
	}
	return from, m, false, nil
}

// packer distributes items over as few messages as possible.
type packer struct {
	all  []message
	size int // of the last message, estimated
}

// overhead is the size of a message without items, and of the parts before it.
const overhead = 400

func (p *packer) room(n int) *message {
	if len(p.all) == 0 || p.size+n+1 > maxPayload {
		p.all = append(p.all, message{})
		p.size = overhead
	}
	p.size += n + 1
	return &p.all[len(p.all)-1]
}

// item encodes v for a list of a message. It returns an error if the item is too large for a message.
func item(v any) (json.RawMessage, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode for other collectors: %w", err)
	}
	if len(b) > maxPayload-overhead-1 {
		return nil, fmt.Errorf("%T has %d bytes, which is too large for other collectors", v, len(b))
	}
	return b, nil
}

func decoded[T any](all []json.RawMessage) (list []T) {
	for _, b := range all {
		var v T
		if json.Unmarshal(b, &v) == nil {
			list = append(list, v)
		}
	}
	return list
}
