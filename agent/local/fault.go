package local

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/enroll"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/spool"
)

// Errors of the service that a program distinguishes.
var (
	// ErrNoService means that no service listens.
	ErrNoService = errors.New("no service responds on this computer")
	// ErrNotAdmitted means that the service does not serve this account.
	ErrNotAdmitted = errors.New("the service serves only people who are signed in at this computer")
	// ErrForeignSocket means that the socket does not belong to the service.
	ErrForeignSocket = errors.New("the socket of the service is owned by another user")
	// ErrOtherCollector means that only an administrator may move the machine to
	// another collector: the reports of all its users would go there.
	ErrOtherCollector = errors.New("this computer is enrolled at another collector")
	// ErrEnrolled means that the service has an identity of its own.
	ErrEnrolled = errors.New("the service is already enrolled")
	// ErrOtherAgent means that a report was made with another identity.
	ErrOtherAgent = errors.New("the report belongs to another identity")
	// ErrInvalid means that a request is invalid.
	ErrInvalid = errors.New("invalid request")
	// ErrBusy means that this account has sent too many requests.
	ErrBusy = errors.New("too many requests to the service")
	// ErrFixed means that the configuration, which belongs to an administrator, decides.
	ErrFixed = errors.New("the configuration of the service decides this")
	// ErrNoReport means that there is no report with this id.
	ErrNoReport = errors.New("no such report")
	// ErrNoRecords means that no flight recorder has written anything.
	ErrNoRecords = errors.New("the service has recorded nothing")
)

// codes lists the wire name and the HTTP status of each error. The first match wins, so
// specific errors come first.
func codes() []struct {
	is     error
	code   string
	status int
} {
	return []struct {
		is     error
		code   string
		status int
	}{
		{ErrNotAdmitted, "not_admitted", http.StatusForbidden},
		{ErrOtherCollector, "other_collector", http.StatusForbidden},
		{ErrEnrolled, "enrolled", http.StatusConflict},
		{ErrOtherAgent, "other_agent", http.StatusConflict},
		{ErrFixed, "fixed", http.StatusConflict},
		{ErrNoReport, "no_report", http.StatusNotFound},
		{ErrNoRecords, "no_records", http.StatusNotFound},
		{ErrInvalid, "invalid", http.StatusBadRequest},
		{ErrBusy, "busy", http.StatusTooManyRequests},
		{enroll.ErrCodeForm, "code_form", http.StatusBadRequest},
		{enroll.ErrCodeInvalid, "code_invalid", http.StatusUnprocessableEntity},
		{enroll.ErrTooMany, "too_many", http.StatusUnprocessableEntity},
		{enroll.ErrProxy, "proxy", http.StatusBadGateway},
		{collector.ErrExpired, "expired", http.StatusBadGateway},
		{collector.ErrIntercepted, "intercepted", http.StatusBadGateway},
		{enroll.ErrUntrusted, "untrusted", http.StatusBadGateway},
		{enroll.ErrUnreachable, "unreachable", http.StatusBadGateway},
		{enroll.ErrCollector, "collector", http.StatusBadGateway},
		{identity.ErrNotSaved, "not_saved", http.StatusInsufficientStorage},
		{spool.ErrDiskFull, "disk_full", http.StatusInsufficientStorage},
	}
}

// fault is the body of an error response.
type fault struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
	// Ours and Theirs are the clocks of a *collector.ClockError.
	Ours   time.Time `json:"ours,omitzero"`
	Theirs time.Time `json:"theirs,omitzero"`
}

// headerFault distinguishes an error of the service from a response of the collector that
// it passes on.
const headerFault = "Tonprobe-Service-Fault"

const (
	codeClock    = "clock"
	codeInternal = "internal"
)

func faultOf(err error) (fault, int) {
	if clock, ok := errors.AsType[*collector.ClockError](err); ok {
		return fault{Code: codeClock, Detail: err.Error(), Ours: clock.Ours, Theirs: clock.Theirs}, http.StatusBadGateway
	}
	for _, c := range codes() {
		if errors.Is(err, c.is) {
			return fault{Code: c.code, Detail: err.Error()}, c.status
		}
	}
	return fault{Code: codeInternal, Detail: err.Error()}, http.StatusInternalServerError
}

// error is the inverse of faultOf.
func (f fault) error() error {
	if f.Code == codeClock {
		return &collector.ClockError{Ours: f.Ours, Theirs: f.Theirs}
	}
	for _, c := range codes() {
		if f.Code == c.code {
			return fmt.Errorf("service: %s: %w", f.Detail, c.is)
		}
	}
	return fmt.Errorf("the service failed: %s", f.Detail)
}
