package crash

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// ipsHead is the first line of a report of macOS 12 and later.
type ipsHead struct {
	BugType   text `json:"bug_type"`
	AppName   text `json:"app_name"`
	Name      text `json:"name"`
	Timestamp text `json:"timestamp"`
}

// ipsBody contains the fields that are read of the rest.
type ipsBody struct {
	ProcName    text `json:"procName"`
	Responsible text `json:"responsibleProc"` // for which it worked
	NonFatal    flag `json:"isNonFatal"`
	Simulated   flag `json:"isSimulated"`
	Exception   struct {
		Signal text `json:"signal"`
		Type   text `json:"type"`
	} `json:"exception"`
	Processes []struct {
		Name   text `json:"name"`
		Reason text `json:"reason"` // why it was killed; "" if it was not
	} `json:"processes"`
	PanicString text `json:"panicString"`
}

// flag is true or 1 in JSON; anything else is false.
type flag bool

// UnmarshalJSON implements json.Unmarshaler.
func (f *flag) UnmarshalJSON(data []byte) error {
	*f = string(data) == "true" || string(data) == "1"
	return nil
}

// maxDiagnosticReport limits how much of a report is read.
const maxDiagnosticReport = 4 << 20

var errNoReport = errors.New("not a diagnostic report")

// parseDiagnosticReport parses a report of macOS: an .ips file with two JSON
// objects, or a text. ok is false for reports of other kinds.
func parseDiagnosticReport(r io.Reader) (e report.HostEvent, ok bool, err error) {
	in := bufio.NewReader(io.LimitReader(r, maxDiagnosticReport))
	first, err := in.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return e, false, fmt.Errorf("read a diagnostic report: %w", err)
	}
	if !strings.HasPrefix(strings.TrimSpace(first), "{") {
		return parseText(first, in)
	}
	var head ipsHead
	if err := json.Unmarshal([]byte(first), &head); err != nil {
		return e, false, fmt.Errorf("%w: %w", errNoReport, err)
	}
	// 2022-03-04 21:42:56.00 +0100; panics of macOS 10.15 have no fraction of the second.
	if e.At, err = time.Parse("2006-01-02 15:04:05 -0700", string(head.Timestamp)); err != nil {
		return e, false, fmt.Errorf("%w: %w", errNoReport, err)
	}
	var body ipsBody
	_ = json.NewDecoder(in).Decode(&body) // a truncated body loses details only; the head is valid
	switch head.BugType {
	case "309", "109": // crash; 109 with a text, on older systems
		names := []string{string(body.ProcName), string(head.AppName), string(head.Name)}
		if worksForOthers(string(body.ProcName)) && body.Responsible != "" {
			names = []string{string(body.Responsible)}
		}
		at := e.At
		e, ok = crashed(word(string(body.Exception.Signal)), names...)
		e.At = at
		return e, ok && !bool(body.NonFatal) && !bool(body.Simulated), nil
	case "210": // panic
		e.Kind = report.EventBluescreen
		return e, true, nil
	case "288": // a snapshot of all stacks, also for diagnoses on request
		e.Kind = report.EventBluescreen
		return e, body.PanicString != "", nil
	case "284": // the graphics hung and were reset
		e.Kind = report.EventGPUReset
		return e, true, nil
	case "298": // jetsam: killed because of low memory
		return body.jetsam(e)
	}
	return report.HostEvent{}, false, nil
}

// worksForOthers reports whether several programs use a process, so that its report names the responsible
// one.
func worksForOthers(process string) bool {
	return strings.HasPrefix(process, webKit) || strings.HasPrefix(process, pluginContainer)
}

// jetsam returns the event of a report about killed processes. A process that exceeded its own limit
// does not mean that the computer's memory was full, so then only known programs count. The largest process
// is not the killed one.
func (b ipsBody) jetsam(e report.HostEvent) (report.HostEvent, bool, error) {
	e.Kind = report.EventOutOfMemory
	killed, full := 0, false
	for _, p := range b.Processes {
		if p.Reason == "" {
			continue
		}
		killed++
		full = full || p.Reason != "per-process-limit"
		if known := program(string(p.Name)); known != "" {
			e.Program = known
			return e, true, nil
		}
	}
	return e, killed == 0 || full, nil
}

// minHang is the shortest hang that counts. macOS writes reports from about one second on; Windows
// waits five seconds before it calls a program hung.
const minHang = 5 * time.Second

// parseText parses the formats without JSON: lines of "Key: value". These are the crashes before macOS
// 12 (.crash), and the hangs of all versions (.hang, .spin).
func parseText(first string, in *bufio.Reader) (e report.HostEvent, ok bool, err error) {
	found := map[string]string{}
	line := first
	for range 60 { // the head is shorter than that
		if key, value, cut := strings.Cut(line, ":"); cut {
			if _, twice := found[key]; !twice {
				found[key] = strings.TrimSpace(value)
			}
		}
		var err error
		if line, err = in.ReadString('\n'); err != nil && line == "" {
			break
		}
	}
	if e.At, err = time.Parse("2006-01-02 15:04:05 -0700", found["Date/Time"]); err != nil {
		return e, false, fmt.Errorf("%w: %w", errNoReport, err)
	}
	if found["Event"] != "" {
		return hangOf(e, found)
	}
	process, _, _ := strings.Cut(found["Process"], " [")
	if responsible, _, _ := strings.Cut(found["Responsible"], " ["); responsible != "" && worksForOthers(process) {
		process = responsible
	}
	e.Kind, e.Program = report.EventClientCrashed, program(process)
	// "EXC_BAD_ACCESS (SIGSEGV)"
	if _, signal, ok := strings.Cut(found["Exception Type"], "("); ok {
		e.Detail = word(strings.TrimSuffix(strings.TrimSpace(signal), ")"))
	}
	return e, e.Program != "", nil
}

// hangOf returns the hang of a program from the head of a report of spindump(8). Its other events are
// limits of processor time and disk writes.
func hangOf(e report.HostEvent, found map[string]string) (report.HostEvent, bool, error) {
	switch found["Event"] {
	case "hang", "force quit", "unresponsive":
	default:
		return report.HostEvent{}, false, nil
	}
	e.Kind, e.Program = report.EventClientHung, program(found["Command"])
	if d, err := time.ParseDuration(found["Duration"]); err == nil && d > 0 { // "7.23s"
		if d < minHang && found["Event"] == "hang" {
			return report.HostEvent{}, false, nil
		}
		e.DurationS = new(min(d, maxHang).Seconds())
	}
	return e, e.Program != "", nil
}

// maxHang is more than any true one: a report refuses absurd values.
const maxHang = 24 * time.Hour
