package api

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Fault is an error response.
type Fault struct {
	Status  int
	Code    string // for programs; stable
	Message string // for people
	// RetryAfter is the delay before a retry; 0 if a retry is useless or the client decides.
	RetryAfter time.Duration
}

func (f *Fault) Error() string { return fmt.Sprintf("%d %s: %s", f.Status, f.Code, f.Message) }

func fault(status int, code, message string) *Fault {
	return &Fault{Status: status, Code: code, Message: message}
}

func tooMany(retryAfter time.Duration) *Fault {
	return &Fault{Status: http.StatusTooManyRequests, Code: "rate_limited",
		Message: "too many requests: try again later", RetryAfter: retryAfter}
}

func (f *Fault) write(w http.ResponseWriter) {
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
	if f.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer") // RFC 6750 §3
	}
	var body struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	body.Error.Code, body.Error.Message = f.Code, f.Message
	writeJSON(w, f.Status, body)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Errorf("encode an answer: %w", err)) // a programming error, as the types are those of this program
	}
	describeJSON(w)
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // an error means that the client is gone
}

func describeJSON(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store") // the response may contain tokens
}
