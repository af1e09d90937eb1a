package collector

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxErrorBody is how much of an error answer is read.
const maxErrorBody = 16 << 10

// APIError is an answer of the collector that is not a success.
type APIError struct {
	Status int
	// Code is the collector's own name for the error, such as
	// enroll_code_invalid; empty when the answer was not the collector's JSON.
	Code    string
	Message string
	// RetryAfter is what the collector asked to wait; 0 when it did not.
	RetryAfter time.Duration
}

func (e *APIError) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("the collector answered %d %s", e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("the collector answered %d %s: %s", e.Status, e.Code, e.Message)
}

// ReadError makes an APIError of an answer. now serves a Retry-After that is
// a date (RFC 9110 §10.2.3).
func ReadError(resp *http.Response, now time.Time) *APIError {
	e := &APIError{Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header.Get("Retry-After"), now)}
	var body struct {
		Error struct{ Code, Message string } `json:"error"`
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	if err == nil && json.Unmarshal(b, &body) == nil {
		e.Code, e.Message = body.Error.Code, body.Error.Message
	}
	return e
}

// maxRetryAfter bounds what a broken or hostile answer can ask for.
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
