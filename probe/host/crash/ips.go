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
	ProcName  text `json:"procName"`
	Exception struct {
		Signal text `json:"signal"`
		Type   text `json:"type"`
	} `json:"exception"`
	LargestProcess text `json:"largestProcess"`
}

// maxDiagnosticReport limits how much of a report is read.
const maxDiagnosticReport = 4 << 20

var errNoReport = errors.New("not a diagnostic report")

// parseDiagnosticReport parses a report of macOS: an .ips file with two JSON
// objects, or the older .crash text. ok is false for reports of other kinds.
func parseDiagnosticReport(r io.Reader) (e report.HostEvent, ok bool, err error) {
	in := bufio.NewReader(io.LimitReader(r, maxDiagnosticReport))
	first, err := in.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return e, false, fmt.Errorf("read a diagnostic report: %w", err)
	}
	if !strings.HasPrefix(strings.TrimSpace(first), "{") {
		return parseCrashText(first, in)
	}
	var head ipsHead
	if err := json.Unmarshal([]byte(first), &head); err != nil {
		return e, false, fmt.Errorf("%w: %w", errNoReport, err)
	}
	// 2022-03-04 21:42:56.00 +0100
	if e.At, err = time.Parse("2006-01-02 15:04:05.00 -0700", string(head.Timestamp)); err != nil {
		return e, false, fmt.Errorf("%w: %w", errNoReport, err)
	}
	var body ipsBody
	_ = json.NewDecoder(in).Decode(&body) // a truncated body loses details only; the head is valid
	switch head.BugType {
	case "309": // crash
		e.Kind = report.EventClientCrashed
		e.Program = program(string(body.ProcName), string(head.AppName), string(head.Name))
		e.Detail = word(string(body.Exception.Signal))
		return e, e.Program != "", nil
	case "210", "288": // panic, forced reset
		e.Kind = report.EventBluescreen
		return e, true, nil
	case "298": // jetsam: killed because of low memory
		e.Kind, e.Program = report.EventOutOfMemory, program(string(body.LargestProcess))
		return e, true, nil
	}
	return report.HostEvent{}, false, nil
}

// parseCrashText parses the format before macOS 12: lines of "Key: value".
func parseCrashText(first string, in *bufio.Reader) (e report.HostEvent, ok bool, err error) {
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
	process, _, _ := strings.Cut(found["Process"], " [")
	if e.At, err = time.Parse("2006-01-02 15:04:05.000 -0700", found["Date/Time"]); err != nil {
		return e, false, fmt.Errorf("%w: %w", errNoReport, err)
	}
	e.Kind, e.Program = report.EventClientCrashed, program(process)
	// "EXC_BAD_ACCESS (SIGSEGV)"
	if _, signal, ok := strings.Cut(found["Exception Type"], "("); ok {
		e.Detail = word(strings.TrimSuffix(strings.TrimSpace(signal), ")"))
	}
	return e, e.Program != "", nil
}
