// Package bundle collects what phone support needs to know about a computer into one zip
// file, and nothing else. Every part has an allow-list: a report is redacted as before it is
// sent, events are those of a report, settings are named one by one, and the log is
// reduced to known words (see [RedactLog]).
package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Limits of the content before compression. The newest reports and log lines are kept.
const (
	MaxReports     = 500
	maxReportBytes = 4 << 20
	maxLogBytes    = 256 << 10
)

// Kind is what a file of the bundle contains.
type Kind string

// Kinds of files, in the order in which they are shown.
const (
	KindReadme   Kind = "readme"
	KindReports  Kind = "reports"
	KindEvents   Kind = "events"
	KindSettings Kind = "settings"
	KindLog      Kind = "log"
	KindVersion  Kind = "version"
)

// Kinds returns all kinds.
func Kinds() []Kind {
	return []Kind{KindReadme, KindReports, KindEvents, KindSettings, KindLog, KindVersion}
}

// File is one file of the bundle.
type File struct {
	Name string
	Kind Kind
	Body []byte
}

// Stored is a stored report in its unmodified form.
type Stored struct {
	State spool.State
	Doc   []byte
}

// Content contains the parts of a bundle before redaction.
type Content struct {
	// Reports are the stored reports, oldest first.
	Reports []Stored
	// Damaged is the number of reports that could not be read.
	Damaged int
	Drops   spool.DropCounts
	// Events contains the events of the period, EventsText the same events as printed by
	// "tonprobe events".
	Events     *report.HostCrash
	EventsText []byte
	Config     config.Config
	// Enrolled is true if the computer has a collector, Service if it has a service.
	Enrolled, Service bool
	// Log contains the lines of the service's log, oldest first; nil if it cannot be
	// read.
	Log []string
	// Version and ServiceVersion are those of the program and the service.
	Version, ServiceVersion string
	OS, Arch                string
	Made                    time.Time
	// Private are names that must not occur in the log: of the computer, its user and the
	// participant.
	Private []string
}

// Summary counts what the bundle contains and what it omits.
type Summary struct {
	Reports int
	// LeftOut is the number of reports that are damaged, of another version, or not valid.
	LeftOut int
	// OverLimit is the number of older reports beyond the limits.
	OverLimit int
	Events    int
	LogLines  int
}

// Files returns the files of a bundle without the description of its content.
func Files(c Content) ([]File, Summary, error) {
	files, sum := reports(c)
	if c.Events != nil {
		sum.Events = len(c.Events.Events)
		b, err := document(c.Events)
		if err != nil {
			return nil, sum, err
		}
		files = append(files, File{"events.json", KindEvents, b}, File{"events.txt", KindEvents, c.EventsText})
	}
	settings, err := document(settingsOf(c))
	if err != nil {
		return nil, sum, err
	}
	files = append(files, File{"settings.json", KindSettings, settings})
	if lines := lastLines(RedactLog(c.Log, c.Private)); len(lines) > 0 {
		sum.LogLines = len(lines)
		files = append(files, File{"log.txt", KindLog, []byte(strings.Join(lines, "\n") + "\n")})
	}
	version, err := document(map[string]string{
		"version": label(c.Version), "service_version": label(c.ServiceVersion), "os": label(c.OS), "arch": label(c.Arch),
		"made_at": c.Made.UTC().Format(time.RFC3339),
	})
	if err != nil {
		return nil, sum, err
	}
	return append(files, File{"version.json", KindVersion, version}), sum, nil
}

// reports returns the files of the newest reports. The spool may contain anything, so each
// document is validated and redacted again. One that was sent changes only in messages of systems and
// libraries.
func reports(c Content) ([]File, Summary) {
	sum := Summary{LeftOut: c.Damaged}
	var files []File
	known := knownWords(c.Private)
	seen, size := map[string]bool{}, 0
	for i := len(c.Reports) - 1; i >= 0; i-- {
		if len(files) >= MaxReports {
			sum.OverLimit += i + 1
			break
		}
		id, doc, ok := allowed(c.Reports[i].Doc, known)
		switch {
		case !ok:
			sum.LeftOut++
			continue
		case seen[id]:
			continue // the same report may be listed twice after a crash
		case size+len(doc) > maxReportBytes:
			sum.OverLimit++
			continue
		}
		seen[id] = true
		size += len(doc)
		state := "waiting"
		switch s := c.Reports[i].State; s {
		case spool.Sent, spool.Local, spool.Quarantined:
			state = string(s)
		}
		files = append(files, File{"reports/" + state + "/" + id + ".json", KindReports, doc})
	}
	sum.Reports = len(files)
	return files, sum
}

// allowed returns a valid report in the form in which it may leave the computer. The messages
// of systems and libraries in it are reduced to known words, as the log is.
func allowed(doc []byte, known map[string]bool) (id string, redacted []byte, ok bool) {
	if len(doc) > report.MaxBytes {
		return "", nil, false
	}
	r, err := report.Decode(doc)
	if err != nil {
		return "", nil, false
	}
	r = report.Redact(r, report.Policy{})
	for i := range r.Probes {
		r.Probes[i].Error = redactLine(r.Probes[i].Error, known)
	}
	if report.KnownProbes().Validate(r) != nil {
		return "", nil, false
	}
	redacted, err = r.Encode()
	return r.ID, redacted, err == nil
}

// settings contains the settings that may leave the computer. For addresses, folders and
// the name of the microphone it contains only whether they are set.
type settings struct {
	Enrolled           bool   `json:"enrolled"`
	Service            bool   `json:"service_answers"`
	Profile            string `json:"profile"`
	Lang               string `json:"lang"`
	SpeakSeconds       int    `json:"speak_seconds"`
	NoAudio            bool   `json:"no_audio"`
	NoUpload           bool   `json:"no_upload"`
	Load               bool   `json:"load"`
	AllowNetworkRetest bool   `json:"allow_network_retest"`
	Interval           string `json:"service_interval"`
	MaxReports         int    `json:"spool_max_reports"`
	MaxBytes           int64  `json:"spool_max_bytes"`
	MaxAge             string `json:"spool_max_age"`
	ServerSet          bool   `json:"server_set"`
	CASet              bool   `json:"ca_set"`
	TargetSet          bool   `json:"target_set"`
	DeviceSet          bool   `json:"device_set"`
	ReportsLost        int    `json:"reports_lost"`
	ReportsRefused     int    `json:"reports_refused"`
}

func settingsOf(c Content) settings {
	s := c.Config
	return settings{
		Enrolled: c.Enrolled, Service: c.Service, Profile: label(s.Profile), Lang: label(s.Lang), SpeakSeconds: s.SpeakSeconds,
		NoAudio: s.NoAudio, NoUpload: s.NoUpload, Load: s.Load, AllowNetworkRetest: s.AllowNetworkRetest,
		Interval: s.Service.Interval.String(), MaxReports: s.Spool.MaxReports, MaxBytes: s.Spool.MaxBytes, MaxAge: s.Spool.MaxAge.String(),
		ServerSet: s.Server != "", CASet: s.CA != "", TargetSet: s.Target != "", DeviceSet: s.Device != "",
		ReportsLost: c.Drops[spool.DropLost], ReportsRefused: c.Drops[spool.DropQuarantined],
	}
}

var reLabel = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+_-]{0,39}$`)

// label returns s if it has the form of a version or a name of this program.
func label(s string) string {
	if !reLabel.MatchString(s) {
		return ""
	}
	return s
}

func lastLines(lines []string) []string {
	size := 0
	for i := len(lines) - 1; i >= 0; i-- {
		if size += len(lines[i]) + 1; size > maxLogBytes {
			return lines[i+1:]
		}
	}
	return lines
}

func document(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("create the support file: %w", err)
	}
	return b.Bytes(), nil
}
