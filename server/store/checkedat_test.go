package store

import (
	"math"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

func TestCheckedAt(t *testing.T) {
	received := time.Date(2026, 11, 28, 19, 0, 0, 0, time.UTC)
	hour := float64(time.Hour / time.Millisecond)
	started := func(d time.Duration) time.Time { return received.Add(d) }
	for name, c := range map[string]struct {
		started time.Time
		offset  *float64
		want    time.Time
	}{
		"a moment ago":                {started(-10 * time.Second), nil, started(-10 * time.Second)},
		"a day in the spool":          {started(-24 * time.Hour), nil, started(-24 * time.Hour)},
		"clock an hour fast":          {started(time.Hour - 10*time.Second), &hour, started(-10 * time.Second)},
		"clock an hour fast, unknown": {started(time.Hour), nil, received},
		"before 1970":                 {time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC), nil, received},
		"1970, with a known offset":   {time.Unix(60, 0), new(float64(60_000 - (received.UnixMilli() - 10_000))), started(-10 * time.Second)},
		"year 1":                      {time.Time{}, nil, received},
		"year 9999":                   {time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), nil, received},
		"offset of 63 years":          {started(0), new(2e12), received},
		"offset of 300 years":         {started(0), new(1e13), received},
		"offset of -300 years":        {started(0), new(-1e13), received},
		"no number":                   {started(0), new(math.NaN()), received},
		"infinite":                    {started(0), new(math.Inf(1)), received},
		"an empty clock battery":      {time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC), nil, received},
		"a year without a network":    {started(-365 * 24 * time.Hour), nil, started(-365 * 24 * time.Hour)},
	} {
		r := &report.Report{StartedAt: c.started, Probes: []report.Result{{Name: report.ProbeNetworkWeb, Data: &report.NetworkWeb{ClockOffsetMS: c.offset}}}}
		if got := CheckedAt(r, received); !got.Equal(c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func FuzzCheckedAt(f *testing.F) {
	f.Add(int64(0), 0.0)
	f.Add(int64(-1), 2e12)
	f.Add(int64(math.MaxInt64), -1e300)
	received := time.Date(2026, 11, 28, 19, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, started int64, offset float64) {
		r := &report.Report{StartedAt: time.UnixMilli(started), Probes: []report.Result{{Name: report.ProbeNetworkWeb, Data: &report.NetworkWeb{ClockOffsetMS: &offset}}}}
		if got := CheckedAt(r, received); got.After(received) || got.Before(received.Add(-oldestCheck)) {
			t.Errorf("started %d, offset %g: got %v, want one in the %v before %v", started, offset, got, oldestCheck, received)
		}
	})
}
