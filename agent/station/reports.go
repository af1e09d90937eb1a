package station

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/local"
	"github.com/tonprobe/tonprobe/agent/spool"
)

// Reports are the stored reports of a machine, for display.
type Reports interface {
	// All returns the reports, oldest first.
	All() ([]spool.Entry, error)
	Read(spool.Entry) ([]byte, error)
	Drops() ([]spool.Drop, spool.DropCounts, error)
}

// OpenReports opens the reports of the service and those of the person, or, without a
// service, those of the person.
func OpenReports(ctx context.Context, c config.Config, log *slog.Logger) (Reports, error) {
	if c.Socket != "" {
		service := local.NewClient(c.Socket)
		if status, err := service.Status(ctx); err == nil {
			all := &serviceReports{ctx: ctx, service: service}
			if c.Data != status.Data && hasSpool(c) {
				all.own, err = OpenSpool(ctx, c, log)
			}
			return all, err
		}
	}
	return OpenSpool(ctx, c, log)
}

// hasSpool reports whether the person has ever stored a report without the service.
func hasSpool(c config.Config) bool {
	_, err := os.Stat(filepath.Join(c.Data, spoolFolder))
	return err == nil
}

// serviceReports are the reports of the service, and those that the person made without
// it.
type serviceReports struct {
	ctx     context.Context // of the command that shows them
	service *local.Client
	own     *spool.Spool // nil if there is none, or if it is the one of the service
	mine    []string     // ids in own
}

// All implements Reports.
func (s *serviceReports) All() ([]spool.Entry, error) {
	listed, err := s.service.Reports(s.ctx)
	if err != nil {
		return nil, err
	}
	var all []spool.Entry
	for _, l := range listed.Reports {
		all = append(all, spool.Entry{ID: l.ID, State: l.State, Time: l.Time, Bytes: l.Bytes})
	}
	if s.own != nil {
		entries, err := s.own.All()
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			// Leave out reports that were handed to the service in the meantime.
			if !slices.ContainsFunc(listed.Reports, func(l local.Listed) bool { return l.ID == e.ID }) {
				all, s.mine = append(all, e), append(s.mine, e.ID)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b spool.Entry) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
}

// Read implements Reports.
func (s *serviceReports) Read(e spool.Entry) ([]byte, error) {
	if slices.Contains(s.mine, e.ID) {
		return s.own.Read(e)
	}
	return s.service.Report(s.ctx, e.ID)
}

// Drops implements Reports.
func (s *serviceReports) Drops() ([]spool.Drop, spool.DropCounts, error) {
	listed, err := s.service.Reports(s.ctx)
	return listed.Drops, listed.Counts, err
}
