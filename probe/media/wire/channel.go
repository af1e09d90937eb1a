package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"time"
	"unicode"
	"unicode/utf8"
)

// Paths of the channel between an agent and its collector: a WebSocket, and long polling where
// WebSockets are blocked.
const (
	PathChannel = "api/v1/agent/channel"
	PathPoll    = "api/v1/agent/poll"
)

// Query parameters of PathPoll.
const (
	ParamVersion  = "version"
	ParamInstance = "instance"
	ParamProcess  = "process" // distinguishes the processes of one instance
	ParamScreen   = "screen"  // "1" if a person can be asked
	ParamKnown    = "known"   // id of the retest that the agent is answering; empty for none
	ParamWait     = "wait"    // seconds after which the collector answers without news
	ParamBeat     = "beat"    // "1": the collector sends a space every BeatEvery while it waits
)

// Limits of the channel.
const (
	// MaxChannelBytes is the largest message.
	MaxChannelBytes = 1 << 10
	// MaxPollMessages is the number of messages in one request or response of PathPoll.
	MaxPollMessages = 32
	// MaxPollWait is the longest wait of a poll without beats, and of one through a reverse proxy
	// of the collector: its connection remains when the agent's line is lost.
	MaxPollWait = 240 * time.Second
	// MaxBeatenWait is the longest wait of a poll with beats.
	MaxBeatenWait = 15 * time.Minute
	// LevelEvery is the shortest time between two levels.
	LevelEvery = 200 * time.Millisecond
	// MaxSessionsWithin is the longest wait before an agent requests its sessions.
	MaxSessionsWithin = 15 * time.Minute
	// MaxRetestTime limits the time from a request for a retest to its expiry.
	MaxRetestTime = 5 * time.Minute
)

// Beat is the message with which an agent shows over the WebSocket that its line exists, every
// BeatEvery. It has no type, and so is ignored by collectors that do not know it. It is not answered:
// the acknowledgement of TCP tells the agent that it has arrived, so that both ends notice a lost line
// at half the cost of a ping.
const Beat = "{}"

const (
	// BeatEvery is less than the 50 or 60 s after which many proxies close an idle connection, and
	// less than the times after which the system sends packets of its own.
	BeatEvery = 38 * time.Second
	// BeatSlack is how much later than expected a beat may arrive: a lost packet is repeated
	// several times within it.
	BeatSlack = 13 * time.Second
)

// Close codes of the WebSocket (RFC 6455 §7.4.2: 4000 to 4999 are for applications).
const (
	CloseFlood   = 4008 // too many messages
	CloseShut    = 4003 // the token is no longer valid, or the participant is blocked
	CloseMessage = 4000 // an invalid message
)

// MessageType is the type of a ChannelMessage.
type MessageType string

// Types of messages.
const (
	MessageHello    MessageType = "hello"    // both: the first message
	MessageRetest   MessageType = "retest"   // collector: requests a check
	MessageCancel   MessageType = "cancel"   // collector: the retest is withdrawn
	MessageConsent  MessageType = "consent"  // agent: the person's answer
	MessageProgress MessageType = "progress" // agent: the status of a probe has changed
	MessageLevel    MessageType = "level"    // agent: the level of the microphone
	MessageDone     MessageType = "done"     // agent: the check is complete, and its report is with the collector or will be sent
	MessageRefused  MessageType = "refused"  // agent: there will be no report
	MessageToken    MessageType = "token"    // collector: replace the token
	MessageSessions MessageType = "sessions" // collector: a session that begins soon was entered or changed
)

// RetestWhat is the extent of a retest.
type RetestWhat string

// Extents of a retest.
const (
	RetestFull    RetestWhat = "full"    // with the microphone
	RetestNetwork RetestWhat = "network" // without
)

// Reasons for MessageRefused.
const (
	WhyDeclined    = "declined"    // the person declined
	WhyNoAnswer    = "no_answer"   // nobody answered in time
	WhyNoPerson    = "no_person"   // nobody can be asked: only the background service runs
	WhyBusy        = "busy"        // another check is running
	WhyUnsupported = "unsupported" // this version does not know what was requested
	WhyFailed      = "failed"      // the check could not be performed
	WhyEnded       = "ended"       // the person ended the program or the check
)

// StatusRunning is the status of MessageProgress for a probe that has started. The other ones
// are those of a report.
const StatusRunning = "running"

// ChannelMessage is a message of the channel: one JSON object, of which each type uses some
// fields.
type ChannelMessage struct {
	Type MessageType `json:"type"`
	// ID identifies the retest. In the hello of an agent it is the one that the agent is answering,
	// or "".
	ID string `json:"id,omitempty"`

	// Version is the version of the sender (hello).
	Version string `json:"version,omitempty"`
	// Instance distinguishes two copies of a data folder (hello of an agent).
	Instance string `json:"instance,omitempty"`
	// Screen is set if a person can be asked (hello of an agent).
	Screen bool `json:"screen,omitempty"`

	What RetestWhat `json:"what,omitempty"`
	// By is the name of the member of staff who requested the retest.
	By        string     `json:"by,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"` // collector's clock

	Given    *bool    `json:"given,omitempty"`     // consent
	Probe    string   `json:"probe,omitempty"`     // progress
	Status   string   `json:"status,omitempty"`    // progress
	RMSDBFS  *float64 `json:"rms_dbfs,omitempty"`  // level
	PeakDBFS *float64 `json:"peak_dbfs,omitempty"` // level
	Speech   bool     `json:"speech,omitempty"`    // level
	ReportID string   `json:"report_id,omitempty"` // done
	Why      string   `json:"why,omitempty"`       // refused
	// WithinS limits the wait of the agent before it requests its sessions, in seconds. It is
	// random, so that not all agents do so at once (sessions).
	WithinS int `json:"within_s,omitempty"`
}

// PollMessages is the body of a request or response of PathPoll.
type PollMessages struct {
	Messages []json.RawMessage `json:"messages"`
}

var (
	// ErrMessage means that a message of the channel is invalid.
	ErrMessage = errors.New("invalid channel message")
	// ErrMessageType means that the type of a message is unknown. A newer peer may use more types,
	// which must be ignored.
	ErrMessageType = errors.New("unknown type of channel message")
)

// ParseFromAgent parses and validates a message of an agent. Every error is an ErrMessage or an
// ErrMessageType.
func ParseFromAgent(b []byte) (ChannelMessage, error) {
	return parseChannel(b, map[MessageType]func(ChannelMessage) string{
		MessageHello: helloFault,
		MessageConsent: func(m ChannelMessage) string {
			if m.Given == nil {
				return "given is missing"
			}
			return ""
		},
		MessageProgress: func(m ChannelMessage) string {
			if !reProbe.MatchString(m.Probe) || !reWord.MatchString(m.Status) {
				return "probe or status is invalid"
			}
			return ""
		},
		MessageLevel: func(m ChannelMessage) string {
			if !isLevel(m.RMSDBFS) || !isLevel(m.PeakDBFS) {
				return "rms_dbfs or peak_dbfs is missing or out of range"
			}
			return ""
		},
		MessageDone: func(m ChannelMessage) string {
			if !reID.MatchString(m.ReportID) {
				return "report_id is invalid"
			}
			return ""
		},
		MessageRefused: func(m ChannelMessage) string {
			if !reWord.MatchString(m.Why) {
				return "why is invalid"
			}
			return ""
		},
	})
}

// ParseFromCollector parses and validates a message of a collector, with the errors of
// ParseFromAgent.
func ParseFromCollector(b []byte) (ChannelMessage, error) {
	return parseChannel(b, map[MessageType]func(ChannelMessage) string{
		MessageHello:  helloFault,
		MessageCancel: func(ChannelMessage) string { return "" },
		MessageToken:  func(ChannelMessage) string { return "" },
		MessageSessions: func(m ChannelMessage) string {
			if m.WithinS < 0 || m.WithinS > int(MaxSessionsWithin/time.Second) {
				return "within_s is out of range"
			}
			return ""
		},
		MessageRetest: func(m ChannelMessage) string {
			switch {
			case !reWord.MatchString(string(m.What)): // an extent of a newer version is refused, not invalid
				return "what is invalid"
			case !isShown(m.By):
				return "by is invalid"
			case m.ExpiresAt == nil || m.ExpiresAt.IsZero():
				return "expires_at is missing"
			}
			return ""
		},
	})
}

var (
	reID    = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)
	reProbe = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)?$`)
	reWord  = regexp.MustCompile(`^[a-z_]{1,32}$`)
)

const maxShownBytes = 64 // of names and versions

// parseChannel validates with the function of the type, which returns the fault in words.
func parseChannel(b []byte, types map[MessageType]func(ChannelMessage) string) (ChannelMessage, error) {
	var m ChannelMessage
	if len(b) > MaxChannelBytes {
		return m, fmt.Errorf("%w: %d bytes, at most %d allowed", ErrMessage, len(b), MaxChannelBytes)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		// A field of an unexpected type belongs to a message type that is unknown here.
		var head struct {
			Type MessageType `json:"type"`
		}
		if json.Unmarshal(b, &head) == nil && head.Type != "" && types[head.Type] == nil {
			return m, fmt.Errorf("%w: %.20q", ErrMessageType, head.Type)
		}
		return m, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	fault, known := types[m.Type]
	if !known {
		return m, fmt.Errorf("%w: %.20q", ErrMessageType, m.Type)
	}
	if m.Type != MessageHello && m.Type != MessageToken && m.Type != MessageSessions && !reID.MatchString(m.ID) {
		return m, fmt.Errorf("%w: %s: id is invalid", ErrMessage, m.Type)
	}
	if len(m.Probe) > maxShownBytes {
		return m, fmt.Errorf("%w: %s: probe is too long", ErrMessage, m.Type)
	}
	if text := fault(m); text != "" {
		return m, fmt.Errorf("%w: %s: %s", ErrMessage, m.Type, text)
	}
	return m, nil
}

// IsInstance reports whether s is an instance ID as agents generate it; "" means none.
func IsInstance(s string) bool { return s == "" || reID.MatchString(s) }

func helloFault(m ChannelMessage) string {
	if m.ID != "" && !reID.MatchString(m.ID) {
		return "id is invalid"
	}
	if !IsInstance(m.Instance) || m.Version != "" && !isShown(m.Version) {
		return "version or instance is invalid"
	}
	return ""
}

// isShown reports whether s can be shown on one line: not empty, short and without characters that
// are invisible or change the direction of writing.
func isShown(s string) bool {
	if s == "" || len(s) > maxShownBytes || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) || unicode.Is(unicode.Cf, r) {
			return false
		}
	}
	return true
}

// isLevel reports whether v is a level in dBFS.
func isLevel(v *float64) bool { return v != nil && !math.IsNaN(*v) && *v >= -200 && *v <= 20 }
