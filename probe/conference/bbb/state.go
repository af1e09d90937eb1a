package bbb

import (
	"encoding/json"
	"errors"
	"regexp"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
)

// Operations of the client (bigbluebutton-html5: presenceManager/queries.ts,
// core/graphql/queries, livekit/memberships-manager/hooks.ts). Fields of later versions
// have separate operations, because an unknown field makes a whole operation fail. The
// same applies to fields that a role may not read: before it has joined, and in the lobby,
// a participant may read guestStatus but not locked (bbb-graphql-server, 3.0 and 4.0,
// metadata/databases/BigBlueButton/tables/public_v_user_current.yaml).
const (
	subscribeSelf  = `subscription getUserCurrent { user_current { userId authToken joinErrorCode joined ejectReasonCode loggedOut guestStatus meeting { ended } } }`
	mutateJoin     = `mutation UserJoin($authToken: String!, $clientType: String!, $clientIsMobile: Boolean!) { userJoinMeeting(authToken: $authToken, clientType: $clientType, clientIsMobile: $clientIsMobile) }`
	mutateLeave    = `mutation UserLeaveMeeting { userLeaveMeeting }`
	queryRules     = `query getLockSettings { user_current { locked guestStatus } meeting { lockSettings { disableMic } } }`
	subscribeRooms = `subscription getLiveKitRooms { user_current { livekitRooms { token purpose } } }`
	subscribeToken = `subscription getLiveKitToken { user_current { livekit { livekitToken } } }`
)

// Names of the operations within one connection.
const (
	idSelf  = "1"
	idJoin  = "2"
	idLeave = "3"
	idRules = "4"
	idRooms = "5" // 4.0: several rooms
	idToken = "6" // 3.0: one
)

// frame is a message of graphql-transport-ws, or of its predecessor graphql-ws, which
// early builds of 3.0 use.
type frame struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// isData reports whether the frame is a result of an operation.
func (f frame) isData() bool { return f.Type == "next" || f.Type == "data" }

// self is user_current.
type self struct {
	AuthToken       string `json:"authToken"`
	Joined          bool   `json:"joined"`
	JoinErrorCode   string `json:"joinErrorCode"`
	EjectReasonCode string `json:"ejectReasonCode"`
	LoggedOut       bool   `json:"loggedOut"`
	GuestStatus     string `json:"guestStatus"`
	Meeting         struct {
		Ended bool `json:"ended"`
	} `json:"meeting"`
}

// errGraphQL means that a message is not a GraphQL message.
var errGraphQL = errors.New("not a valid GraphQL message")

func parseFrame(got []byte) (frame, error) {
	var f frame
	if json.Unmarshal(got, &f) != nil || f.Type == "" {
		return frame{}, errGraphQL
	}
	return f, nil
}

// parseSelf parses the payload of a response to subscribeSelf; ok is false if it
// contains no user yet.
func parseSelf(payload []byte) (me self, ok bool, err error) {
	var answer struct {
		Data struct {
			UserCurrent []self `json:"user_current"`
		} `json:"data"`
	}
	if json.Unmarshal(payload, &answer) != nil {
		return self{}, false, errGraphQL
	}
	if len(answer.Data.UserCurrent) == 0 {
		return self{}, false, nil
	}
	return answer.Data.UserCurrent[0], true, nil
}

// stateCodes contains the codes for refusals (bbb-graphql-middleware, connhandler.go,
// and joinErrorCode of the users).
var stateCodes = map[string]string{
	"meeting_not_found":          codeNoMeeting,
	"meetingNotFound":            codeNoMeeting,
	"meeting_ended":              codeEnded,
	"user_not_found":             codeSession,
	"check_authorization_error":  codeSession,
	"too_many_connections":       "too_many_connections",
	"connections_limit_exceeded": "too_many_connections",
	"param_missing":              "param_missing",
	"max_participants_reason":    codeFull,
	"guest_deny":                 codeGuestDeny,
}

// parseRefusal parses the payload of an error, a list of messages.
func parseRefusal(payload []byte) string {
	var list []struct {
		MessageID string `json:"messageId"`
	}
	if json.Unmarshal(payload, &list) != nil || len(list) == 0 {
		return codeRefused
	}
	if code := stateCodes[list[0].MessageID]; code != "" {
		return code
	}
	return codeRefused
}

// judge returns the outcome for the state of a user, and whether it is final.
func (me self) judge() (o visit.Outcome, final bool) {
	switch {
	case me.Meeting.Ended:
		return visit.Fault(codeEnded), true
	case me.JoinErrorCode != "":
		if code := stateCodes[me.JoinErrorCode]; code != "" {
			return visit.Fault(code), true
		}
		return visit.Fault(codeRefused), true
	case me.EjectReasonCode != "", me.LoggedOut:
		return visit.Fault(codeEjected), true
	case me.GuestStatus == "WAIT":
		return visit.Fault(codeGuestWait), true
	case me.GuestStatus == "DENY":
		return visit.Fault(codeGuestDeny), true
	case me.Joined:
		return visit.OK(), true
	}
	return visit.Outcome{}, false
}

// rules contains the permissions of this participant.
type rules struct {
	// microphones is true if the viewers' microphones are locked, viewer if this
	// participant is a viewer.
	microphones, viewer bool
	// waits is true in the lobby, denied if a moderator has rejected this guest.
	waits, denied bool
}

// fault returns the code if this participant may not use a microphone, or has not been
// admitted.
func (r rules) fault() string {
	switch {
	case r.waits:
		return codeGuestWait
	case r.denied:
		return codeGuestDeny
	case r.microphones && r.viewer:
		return codeLocked
	}
	return ""
}

// parseRules parses the payload of a response to queryRules.
func parseRules(payload []byte) (rules, error) {
	var answer struct {
		Data struct {
			UserCurrent []struct {
				Locked      bool   `json:"locked"`
				GuestStatus string `json:"guestStatus"`
			} `json:"user_current"`
			Meeting []struct {
				LockSettings *struct {
					DisableMic bool `json:"disableMic"`
				} `json:"lockSettings"`
			} `json:"meeting"`
		} `json:"data"`
	}
	if json.Unmarshal(payload, &answer) != nil || len(answer.Data.UserCurrent) == 0 || len(answer.Data.Meeting) == 0 {
		return rules{}, errGraphQL
	}
	me, lock := answer.Data.UserCurrent[0], answer.Data.Meeting[0].LockSettings
	return rules{
		microphones: lock != nil && lock.DisableMic, viewer: me.Locked,
		waits: me.GuestStatus == "WAIT", denied: me.GuestStatus == "DENY",
	}, nil
}

// liveKitToken matches a token of LiveKit: a JSON Web Token in the compact form (RFC 7515 §7.1).
var liveKitToken = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)

// isToken reports whether a text can be sent as a token.
func isToken(text string) bool { return len(text) <= maxTokenBytes && liveKitToken.MatchString(text) }

const maxTokenBytes = 8192

// parseToken parses the payload of a response to subscribeRooms or subscribeToken; ""
// means that there is no token yet. Rooms with another purpose are breakout rooms that a
// moderator listens to.
func parseToken(payload []byte) string {
	var answer struct {
		Data struct {
			UserCurrent []struct {
				Rooms []struct {
					Token   string `json:"token"`
					Purpose string `json:"purpose"`
				} `json:"livekitRooms"`
				LiveKit *struct {
					Token string `json:"livekitToken"`
				} `json:"livekit"`
			} `json:"user_current"`
		} `json:"data"`
	}
	if json.Unmarshal(payload, &answer) != nil {
		return ""
	}
	for _, me := range answer.Data.UserCurrent {
		if me.LiveKit != nil && isToken(me.LiveKit.Token) {
			return me.LiveKit.Token
		}
		for _, room := range me.Rooms {
			if room.Purpose == "primary" && isToken(room.Token) {
				return room.Token
			}
		}
	}
	return ""
}
