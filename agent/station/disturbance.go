package station

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// disturbanceTime limits the request, for which a person waits during a session.
const disturbanceTime = 10 * time.Second

// soon is how long before its start a session counts as in progress. The collector uses the same value.
const soon = time.Hour

// Errors of ReportDisturbance. With any other error, it is not known whether the report was recorded.
// Nothing is sent later: the person has to call.
var (
	ErrNoSession    = errors.New("no session is in progress")
	ErrRecordClosed = errors.New("the record of the session is complete")
	// ErrNotReported means that nothing was recorded: there was no connection, or the collector
	// refused the report.
	ErrNotReported = errors.New("the report did not arrive")
)

// InSession reports whether a session of the participant may be in progress or is about to start, as
// far as the collector has announced it.
func (s *Station) InSession(now time.Time) bool {
	if !s.Enrolled() || s.Config.NoUpload {
		return false
	}
	known := s.targets
	if s.service == nil {
		known = s.knownTargets()
	}
	return slices.ContainsFunc(known.Sessions, func(one wire.Session) bool {
		return now.After(one.StartsAt.Add(-soon)) && now.Before(one.Closes().Add(wire.Overtime))
	})
}

// ReportDisturbance reports a disturbance in the session in progress, and returns when it was
// reported first by the collector's clock.
func (s *Station) ReportDisturbance(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, disturbanceTime)
	defer cancel()
	answer, err := s.Collector().ReportDisturbance(ctx, uuid.NewString())
	if refused, ok := errors.AsType[*collector.APIError](err); ok {
		switch refused.Code {
		case wire.CodeNoSession:
			return time.Time{}, ErrNoSession
		case wire.CodeRecordClosed:
			return time.Time{}, ErrRecordClosed
		}
	}
	if err != nil && notReported(err) {
		return time.Time{}, fmt.Errorf("%w: %w", ErrNotReported, err)
	}
	if err != nil {
		return time.Time{}, err
	}
	return answer.At, nil
}

// notReported reports whether the error of a request means that the request had no effect. After a
// timeout, or an error of a server between the agent and the collector, the collector may have recorded
// the report.
func notReported(err error) bool {
	if refused, ok := errors.AsType[*collector.APIError](err); ok {
		return refused.Status >= 400 && refused.Status < 500
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return true
	}
	failed, ok := errors.AsType[*net.OpError](err)
	return ok && (failed.Op == "dial" || failed.Op == "proxyconnect")
}
