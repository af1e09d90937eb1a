// Package pionlog passes the messages of the pion libraries to slog.
package pionlog

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// To logs all messages of the libraries at debug level. Most of their warnings concern what we measure, or
// input that anyone can send, and nobody must be able to fill the log.
type To struct{ Log *slog.Logger }

// NewLogger implements logging.LoggerFactory.
func (t To) NewLogger(scope string) logging.LeveledLogger {
	return logger{t.Log.With("pion", scope)}
}

type logger struct{ log *slog.Logger }

func (l logger) emit(msg string) { l.log.Debug(msg) }

func (l logger) emitf(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug(fmt.Sprintf(format, args...))
	}
}

// Trace messages are per packet and are dropped.
func (logger) Trace(string)          {}
func (logger) Tracef(string, ...any) {}

func (l logger) Debug(msg string)             { l.emit(msg) }
func (l logger) Debugf(f string, args ...any) { l.emitf(f, args...) }
func (l logger) Info(msg string)              { l.emit(msg) }
func (l logger) Infof(f string, args ...any)  { l.emitf(f, args...) }
func (l logger) Warn(msg string)              { l.emit(msg) }
func (l logger) Warnf(f string, args ...any)  { l.emitf(f, args...) }
func (l logger) Error(msg string)             { l.emit(msg) }
func (l logger) Errorf(f string, args ...any) { l.emitf(f, args...) }
