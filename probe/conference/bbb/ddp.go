package bbb

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
)

// entry is the response of enter: who this participant is.
type entry struct {
	Meeting string `json:"meetingID"`
	User    string `json:"internalUserID"`
	Auth    string `json:"authToken"`
	Extern  string `json:"externUserID"`
}

// parseEntry parses the response of enter (join-handler of bigbluebutton-html5 2.7).
// The error is a *refusedError if the server does not know the session.
func parseEntry(body []byte) (entry, error) {
	var answer struct {
		Response struct {
			entry
			ReturnCode  string `json:"returncode"`
			MessageKey  string `json:"messageKey"`
			GuestStatus string `json:"guestStatus"`
		} `json:"response"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return entry{}, errNotAPI
	}
	r := answer.Response
	switch {
	case r.GuestStatus == "WAIT":
		return entry{}, &refusedError{codeGuestWait}
	case r.GuestStatus == "DENY":
		return entry{}, &refusedError{codeGuestDeny}
	case r.ReturnCode == "FAILED":
		code := refusals[r.MessageKey]
		if code == "" {
			code = codeSession
		}
		return entry{}, &refusedError{code}
	case r.ReturnCode != "SUCCESS", r.Meeting == "", r.User == "", r.Auth == "":
		return entry{}, errNotAPI
	}
	return r.entry, nil
}

// ddp is a message of the Distributed Data Protocol.
type ddp struct {
	Msg        string          `json:"msg"`
	ID         string          `json:"id"`
	Subs       []string        `json:"subs"`
	Collection string          `json:"collection"`
	Fields     json.RawMessage `json:"fields"`
	Result     json.RawMessage `json:"result"`
	Error      json.RawMessage `json:"error"`
}

// errMeteor means that a frame is neither SockJS nor DDP.
var errMeteor = errors.New("not a valid Meteor message")

// closedError is the close frame of SockJS.
type closedError struct{ code int }

func (e *closedError) Error() string { return fmt.Sprintf("closed with %d", e.code) }

// parseSockJS parses a frame of SockJS (protocol 0.3.3): o, h, a with messages, c with
// a code.
func parseSockJS(got []byte) ([]ddp, error) {
	if len(got) == 0 {
		return nil, errMeteor
	}
	switch got[0] {
	case 'o', 'h':
		return nil, nil
	case 'a':
		var texts []string
		if json.Unmarshal(got[1:], &texts) != nil {
			return nil, errMeteor
		}
		messages := make([]ddp, 0, len(texts))
		for _, text := range texts {
			var m ddp
			if json.Unmarshal([]byte(text), &m) != nil {
				return nil, errMeteor
			}
			messages = append(messages, m)
		}
		return messages, nil
	case 'c':
		var reason []json.RawMessage
		code := 0
		if json.Unmarshal(got[1:], &reason) != nil || len(reason) == 0 || json.Unmarshal(reason[0], &code) != nil {
			return nil, errMeteor
		}
		return nil, &closedError{code}
	}
	return nil, errMeteor
}

// Codes for the state of a session (validationStatus of auth-token-validation).
const (
	validated = 3
	invalid   = 4
)

// parseValidation parses the result of validateAuthToken. A participant who was banned or
// removed is refused before the session is looked up, in another format (bigbluebutton-html5
// up to 2.7, imports/api/users/server/methods/validateAuthToken.js).
func parseValidation(m ddp) visit.Outcome {
	var r struct {
		Status    int    `json:"validationStatus"`
		Reason    string `json:"reason"`
		Invalid   bool   `json:"invalid"`
		ErrorType string `json:"error_type"`
	}
	switch {
	case len(m.Error) > 0:
		return visit.Fault(codeRefused)
	case json.Unmarshal(m.Result, &r) != nil:
		return visit.Fault("not_api")
	case r.Invalid && r.ErrorType == "invalid_session_token_due_to_log_out":
		return visit.Fault(codeSession)
	case r.Invalid:
		return visit.Fault(codeEjected)
	case r.Status == 0:
		return visit.Fault("not_api")
	case r.Status == validated:
		return visit.OK()
	case stateCodes[r.Reason] != "":
		return visit.Fault(stateCodes[r.Reason])
	case r.Status == invalid:
		return visit.Fault(codeSession)
	}
	return visit.Fault(codeEjected)
}
