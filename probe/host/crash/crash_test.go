package crash

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// from returns a source with the given events.
func from(name string, err error, events ...report.HostEvent) source {
	return source{name: name, read: func(context.Context, time.Time) ([]report.HostEvent, error) { return events, err }}
}

func event(at time.Duration, kind report.HostEventKind, program, detail string) report.HostEvent {
	return report.HostEvent{At: noon.Add(at), Kind: kind, Program: program, Detail: detail}
}

func TestCollect(t *testing.T) {
	found := collect(t.Context(), []source{
		from("journal", nil,
			event(-10*time.Minute, report.EventClientCrashed, "Zoom", "sigsegv"),
			event(-2*time.Hour, report.EventSleep, "", ""), // before the window
			event(time.Minute, report.EventResume, "", ""), // after now
		),
		from("crash_folders", nil,
			event(-10*time.Minute+4*time.Second, report.EventClientCrashed, "Zoom", detailDump), // duplicate
			event(-10*time.Minute+4*time.Second, report.EventClientCrashed, "Chrome", detailDump),
			event(-5*time.Minute, report.EventClientCrashed, "Zoom", detailDump), // another crash
		),
		from("core_files", errAbsent),
		from("kernel_log", fs.ErrPermission, event(-time.Minute, report.EventWiFiDropped, "", "reason_8")),
		from("panic_records", errors.New("broken")),
	}, noon.Add(-time.Hour), noon)
	want := []string{"client_crashed Zoom sigsegv", "client_crashed Chrome dump", "client_crashed Zoom dump", "wifi_dropped  reason_8"}
	if got := eventTexts(found.Events); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	states := map[string]string{}
	for _, s := range found.Sources {
		states[s.Name] = s.State
	}
	if !reflect.DeepEqual(states, map[string]string{
		"journal": "read", "crash_folders": "read", "core_files": "absent", "kernel_log": "not_permitted", "panic_records": "failed",
	}) {
		t.Errorf("got sources %v, want the state that each source returned", states)
	}
	if *found.WindowS != 3600 {
		t.Errorf("got a window of %v s, want 3600", *found.WindowS)
	}
}

// TestNewestAreKept: a program that crashes at every start must not displace the
// latest events.
func TestNewestAreKept(t *testing.T) {
	var all []report.HostEvent
	for i := range 500 {
		all = append(all, event(-time.Duration(i)*time.Minute, report.EventClientCrashed, "Zoom", ""))
	}
	found := collect(t.Context(), []source{from("journal", nil, all...)}, noon.Add(-24*time.Hour), noon)
	if n := len(found.Events); n != maxEvents || !found.Events[n-1].At.Equal(noon) {
		t.Errorf("got %d events, the last at %v, want %d, %v", n, found.Events[n-1].At, maxEvents, noon)
	}
}

func TestUnreadableIsUnknown(t *testing.T) {
	for want, s := range map[report.Status]source{
		report.StatusOK:      from("journal", nil),
		report.StatusUnknown: from("journal", fs.ErrPermission),
	} {
		p := crashes{func(ctx context.Context, since, now time.Time) *report.HostCrash {
			return collect(ctx, []source{s}, since, now)
		}}
		r, err := p.Run(t.Context(), probe.Env{Clock: probe.SystemClock{}})
		if err != nil || r.Status != want || (r.Note == "") != (want == report.StatusOK) {
			t.Errorf("got error %v, result %+v; want %s", err, r, want)
		}
	}
}

func TestFolders(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, at time.Time) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	write("pending/a.dmp", noon)
	write("pending/a.meta", noon)
	write("completed/old.dmp", noon.Add(-48*time.Hour))
	write("attachments/notes.txt", noon)
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "pending", "link.dmp")); err != nil {
		t.Fatal(err)
	}
	events, err := readFolders(t.Context(), crashpad(dir, "Chrome"), noon.Add(-time.Hour))
	if got := eventTexts(events); err != nil || !reflect.DeepEqual(got, []string{"client_crashed Chrome dump"}) || !events[0].At.Equal(noon) {
		t.Errorf("got error %v, events %+v; want client_crashed Chrome dump", err, events)
	}
	if _, err := readFolders(t.Context(), crashpad(filepath.Join(dir, "none"), "Chrome"), noon); !errors.Is(err, errAbsent) {
		t.Errorf("no folder: got error %v, want %v", err, errAbsent)
	}
	// A file instead of a folder.
	if events, err := readFolders(t.Context(), []folder{dumps(filepath.Join(dir, "pending", "a.dmp"), "Chrome")}, noon); err == nil || len(events) != 0 {
		t.Errorf("a file: got error %v, events %v; want non-nil, none", err, events)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := readFolders(ended, crashpad(dir, "Chrome"), noon); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got error %v, want %v", err, context.Canceled)
	}
}

func TestDiagnosticReportFolder(t *testing.T) {
	dir := t.TempDir()
	for name, document := range map[string]string{
		"zoom.us-2026.ips": `{"name":"zoom.us","timestamp":"2026-03-02 09:00:00.00 +0100","bug_type":"309"}`,
		"broken.ips":       "{",
		"zoom.us_RAT.hang": hangText("zoom.us", "hang", "20s"),
		"broken.hang":      "x",
		"Kernel.panic":     "Anonymous UUID: X\n\nMon Mar  2 09:00:00 2026\npanic(cpu 0 caller 0x1): x\n",
		"gpu.gpuRestart":   "Mon Mar  2 09:00:00 2026\n\nGPU Reset\n",
		"other.txt":        `{"name":"zoom.us","timestamp":"2026-03-02 09:00:00.00 +0100","bug_type":"309"}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	events, err := readDiagnosticReports(t.Context(), []string{filepath.Join(dir, "none"), dir}, noon.Add(-24*time.Hour))
	want := []string{"bluescreen", "client_crashed Zoom", "client_hung Zoom", "gpu_reset"}
	slices.SortFunc(events, func(a, b report.HostEvent) int { return strings.Compare(string(a.Kind), string(b.Kind)) })
	if got := eventTexts(events); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got error %v, %q; want %q", err, got, want)
	}
	if _, err := readDiagnosticReports(t.Context(), []string{filepath.Join(dir, "none")}, noon); !errors.Is(err, errAbsent) {
		t.Errorf("no folder: got error %v, want %v", err, errAbsent)
	}
}

// TestKernelLogOnlyInsteadOfTheJournal: after a sleep its times are too late, so that the
// same events would count twice.
func TestKernelLogOnlyInsteadOfTheJournal(t *testing.T) {
	kernel := from("kernel_log", nil, event(-5*time.Minute, report.EventWiFiDropped, "", "reason_8"))
	kernel.insteadOf = "journal"
	earlier := event(-50*time.Minute, report.EventWiFiDropped, "", "reason_8")
	for name, c := range map[string]struct {
		journal         source
		events, sources int
	}{
		"journal read":          {from("journal", nil, earlier), 1, 1},
		"journal not permitted": {from("journal", fs.ErrPermission), 1, 2},
		"no journal":            {from("journal", errAbsent), 1, 2},
	} {
		found := collect(t.Context(), []source{c.journal, kernel}, noon.Add(-time.Hour), noon)
		if len(found.Events) != c.events || len(found.Sources) != c.sources {
			t.Errorf("%s: got %+v, want %d events, %d sources", name, found, c.events, c.sources)
		}
		if name == "journal read" && len(found.Events) == 1 && !found.Events[0].At.Equal(earlier.At) {
			t.Errorf("%s: got time %v, want %v", name, found.Events[0].At, earlier.At)
		}
	}
}
