package observe

import (
	"context"
	"log/slog"
)

// LogRequests returns a handler that adds the id of the request to each record of one, so that all
// lines of a request are found by the id in the response (HeaderRequestID) and on error pages.
func LogRequests(h slog.Handler) slog.Handler {
	if _, ok := h.(requestLog); ok {
		return h
	}
	return requestLog{h}
}

type requestLog struct{ slog.Handler }

// Handle implements slog.Handler.
func (l requestLog) Handle(ctx context.Context, r slog.Record) error {
	if id := RequestID(ctx); id != "" {
		r.AddAttrs(slog.String("request", id))
	}
	return l.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (l requestLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requestLog{l.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (l requestLog) WithGroup(name string) slog.Handler { return requestLog{l.Handler.WithGroup(name)} }
