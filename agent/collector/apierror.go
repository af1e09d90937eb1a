package collector

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxErrorBody limits how much of an error response is read.
const maxErrorBody = 16 << 10

// APIError is a response of the collector other than a success.
type APIError struct {
	Status int
	// Code is the collector's name of the error, such as enroll_code_invalid; empty if
	// the response was not the collector's JSON.
	Code    string
	Message string
	// RetryAfter is the delay that the collector requested; 0 if none.
	RetryAfter time.Duration
}

func (e *APIError) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("the collector answered %d %s", e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("the collector answered %d %s: %s", e.Status, e.Code, e.Message)
}

// ReadError converts a response to an APIError. now is needed for a Retry-After that
// is a date (RFC 9110 §10.2.3).
func ReadError(resp *http.Response, now time.Time) *APIError {
	var e APIError
	if b, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)); err == nil {
		e = readError(b)
	}
	e.Status, e.RetryAfter = resp.StatusCode, retryAfter(resp.Header.Get("Retry-After"), now)
	return &e
}

// readError parses the body of an error response.
func readError(b []byte) (e APIError) {
	var body struct {
		Error struct{ Code, Message string } `json:"error"`
	}
	if json.Unmarshal(b, &body) == nil {
		e.Code, e.Message = body.Error.Code, body.Error.Message
	}
	return e
}

// maxRetryAfter limits what a broken or hostile response can request.
const maxRetryAfter = time.Hour

func retryAfter(v string, now time.Time) time.Duration {
	var d time.Duration
	if s, err := strconv.Atoi(v); err == nil {
		d = time.Duration(min(s, int(maxRetryAfter/time.Second))) * time.Second
	} else if t, err := http.ParseTime(v); err == nil {
		d = t.Sub(now)
	}
	return max(0, min(d, maxRetryAfter))
}
