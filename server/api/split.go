package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report/jsonscan"
)

// split returns the reports of a body: one object, or {"reports":[…]}. The syntax of the reports
// may be invalid.
func split(body []byte) (documents []json.RawMessage, single bool, err error) {
	documents, single, ok := scanBody(body)
	if !ok {
		if documents, single, err = decodeBody(body); err != nil {
			return nil, false, err
		}
	}
	switch {
	case single:
	case len(documents) == 0:
		return nil, false, fault(http.StatusBadRequest, "body_malformed", "the list of reports is empty")
	case len(documents) > maxReports:
		return nil, false, fault(http.StatusRequestEntityTooLarge, "too_many_reports", fmt.Sprintf("more than %d reports at once", maxReports))
	}
	return documents, single, nil
}

// scanBody splits a body in the form in which agents send it. ok is false for a body that
// encoding/json may interpret differently, for example if "reports" occurs twice.
func scanBody(body []byte) (documents []json.RawMessage, single, ok bool) {
	const list = "reports"
	members := 0
	single = true
	s := jsonscan.New(body)
	ok = s.Object(func(name []byte) bool {
		members++
		if !strings.EqualFold(string(name), list) {
			_, ok := s.Value()
			return ok && single
		}
		if members > 1 || string(name) != list {
			return false
		}
		single = false
		return s.Array(func() bool {
			document, ok := s.Value()
			documents = append(documents, document)
			return ok
		})
	})
	if single {
		documents = []json.RawMessage{body}
	}
	return documents, single, ok && s.End()
}

func decodeBody(body []byte) (documents []json.RawMessage, single bool, err error) {
	var list struct {
		Reports *[]json.RawMessage `json:"reports"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, false, malformedBody()
	}
	if list.Reports == nil {
		return []json.RawMessage{body}, true, nil
	}
	return *list.Reports, false, nil
}

func malformedBody() *Fault {
	return fault(http.StatusBadRequest, "body_malformed", `the body is neither a report nor {"reports":[…]}`)
}
