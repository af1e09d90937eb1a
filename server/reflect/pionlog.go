package reflect

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// pionLogs sends the libraries' messages to slog at debug level, whatever level
// they claim: most of them are about what a stranger sent, and a stranger must
// not be able to fill the log.
type pionLogs struct{ log *slog.Logger }

func (p pionLogs) NewLogger(scope string) logging.LeveledLogger {
	return pionLogger{p.log.With("pion", scope)}
}

type pionLogger struct{ log *slog.Logger }

func (l pionLogger) emit(msg string) { l.log.Debug(msg) }

func (l pionLogger) emitf(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug(fmt.Sprintf(format, args...))
	}
}

// Trace messages come per packet and are dropped.
func (pionLogger) Trace(string)          {}
func (pionLogger) Tracef(string, ...any) {}

func (l pionLogger) Debug(msg string)             { l.emit(msg) }
func (l pionLogger) Debugf(f string, args ...any) { l.emitf(f, args...) }
func (l pionLogger) Info(msg string)              { l.emit(msg) }
func (l pionLogger) Infof(f string, args ...any)  { l.emitf(f, args...) }
func (l pionLogger) Warn(msg string)              { l.emit(msg) }
func (l pionLogger) Warnf(f string, args ...any)  { l.emitf(f, args...) }
func (l pionLogger) Error(msg string)             { l.emit(msg) }
func (l pionLogger) Errorf(f string, args ...any) { l.emitf(f, args...) }
