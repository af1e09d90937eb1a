package crash

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Message ids of systemd (sd-messages.h).
const (
	messageCoredump  = "fc2e22bc6ee647b6b90729ab34a250b1"
	messageSleep     = "6bbd95ee977941e497c48be27c254128"
	messageResume    = "8811e6df2a8e40f58a94cea26f8ebf14"
	messageOomdKill  = "d989611b15e44c9dbf31e3c81256e4ed" // systemd-oomd killed a unit
	messageUnitOOM   = "fe6faa94e7774663a0da52717891d8ef" // the kernel killed a process of a unit
	journaldItself   = "systemd-journald"
	supplicant       = "wpa_supplicant"
	transportKernel  = "kernel"
	transportDriver  = "driver" // journald itself
	maxJournalLine   = 64 << 10
	maxJournalEvents = 1000
)

// maxStartTime is the time after the start of the system within which journald opens its file.
const maxStartTime = 2 * time.Minute

// maxDumpTime is more than the 5 min after which systemd-coredump@.service is stopped.
const maxDumpTime = 10 * time.Minute

// journalArgs returns the arguments for journalctl. The fields do not include
// COREDUMP_ENVIRON and others with personal data.
func journalArgs(since time.Time) []string {
	return []string{
		"--no-pager", "--output=json", "--lines=20000",
		"--output-fields=MESSAGE,MESSAGE_ID,COREDUMP_PID,COREDUMP_COMM,COREDUMP_EXE,COREDUMP_SIGNAL,COREDUMP_SIGNAL_NAME,COREDUMP_TIMESTAMP,_TRANSPORT,_COMM,SYSLOG_IDENTIFIER",
		"--since=@" + strconv.FormatInt(since.Unix(), 10),
		"MESSAGE_ID=" + messageCoredump, "+", "MESSAGE_ID=" + messageSleep, "+", "MESSAGE_ID=" + messageResume,
		"+", "MESSAGE_ID=" + messageOomdKill, "+", "MESSAGE_ID=" + messageUnitOOM,
		"+", "_TRANSPORT=" + transportKernel, "+", "SYSLOG_IDENTIFIER=" + journaldItself,
		"+", "_COMM=" + supplicant,
	}
}

// text is a field of an entry. The journal writes bytes that are not UTF-8 as a
// list of numbers, repeated fields as a list of strings, and large ones as null;
// all of these become "".
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(data []byte) error {
	var s string
	var n json.Number // Apple writes bug_type as a text, other tools as a number
	switch {
	case json.Unmarshal(data, &s) == nil:
		*t = text(s)
	case json.Unmarshal(data, &n) == nil:
		*t = text(n)
	}
	return nil
}

// entry is one line of journalctl --output=json.
type entry struct {
	Time       text `json:"__REALTIME_TIMESTAMP"`  // µs since 1970
	Monotonic  text `json:"__MONOTONIC_TIMESTAMP"` // µs since the start
	Message    text `json:"MESSAGE"`
	ID         text `json:"MESSAGE_ID"`
	Sender     text `json:"_COMM"`
	PID        text `json:"COREDUMP_PID"`
	Comm       text `json:"COREDUMP_COMM"`
	Exe        text `json:"COREDUMP_EXE"`
	Signal     text `json:"COREDUMP_SIGNAL"`
	SignalName text `json:"COREDUMP_SIGNAL_NAME"`
	Crashed    text `json:"COREDUMP_TIMESTAMP"` // µs since 1970
	Transport  text `json:"_TRANSPORT"`
	Identifier text `json:"SYSLOG_IDENTIFIER"`
}

// parseJournal parses the output of journalctl and skips invalid lines. present contains the USB devices that
// are plugged in now.
func parseJournal(r io.Reader, present map[usbKey]usbDevice) ([]report.HostEvent, error) {
	var events []report.HostEvent
	kernel := kernelReader{present: present}
	all := func() []report.HostEvent {
		found := append(events, kernel.all()...)
		slices.SortStableFunc(found, func(a, b report.HostEvent) int { return a.At.Compare(b.At) })
		return found
	}
	lines := bufio.NewReaderSize(r, maxJournalLine)
	for {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) { // such a line is not relevant
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = lines.ReadSlice('\n')
			}
			line = nil
		}
		var e entry
		if json.Unmarshal(line, &e) == nil {
			e.tell(&kernel)
			if event, ok := e.event(); ok && len(events) < maxJournalEvents {
				events = append(events, event)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return all(), nil
		case err != nil:
			return all(), fmt.Errorf("read the journal: %w", err)
		}
	}
}

// tell passes what concerns the kernel's messages on to their reader.
func (e entry) tell(kernel *kernelReader) {
	at, ok := e.at()
	switch {
	case !ok:
	case e.ID == messageCoredump:
		if strings.HasPrefix(string(e.Exe), "/") && e.PID != "" {
			kernel.forget(string(e.PID), at)
		}
	case e.Identifier == journaldItself:
	case e.Transport == transportKernel:
		up, _ := strconv.ParseInt(string(e.Monotonic), 10, 64)
		kernel.add(at, time.Duration(up)*time.Microsecond, string(e.Message))
	case e.Sender == supplicant:
		kernel.addSupplicant(at, string(e.Message))
	}
}

// at returns the time of the entry; ok is false if it has none.
func (e entry) at() (at time.Time, ok bool) {
	us, err := strconv.ParseInt(string(e.Time), 10, 64)
	return time.UnixMicro(us), err == nil && us > 0
}

func (e entry) event() (event report.HostEvent, ok bool) {
	at, ok := e.at()
	if !ok {
		return report.HostEvent{}, false
	}
	switch {
	case e.ID == messageCoredump:
		event, ok = crashed(e.signal(), string(e.Exe), string(e.Comm))
	case e.ID == messageSleep:
		event, ok = report.HostEvent{Kind: report.EventSleep}, true
	case e.ID == messageResume:
		event, ok = report.HostEvent{Kind: report.EventResume}, true
	case e.ID == messageOomdKill:
		event, ok = report.HostEvent{Kind: report.EventOutOfMemory, Program: killedUnit(string(e.Message)), Detail: "oomd"}, true
	case e.ID == messageUnitOOM:
		// For people who may not read the kernel's messages. These tell more of other programs.
		event = report.HostEvent{Kind: report.EventOutOfMemory, Program: killedUnit(string(e.Message))}
		ok = event.Program != ""
	case e.Identifier == journaldItself: // by the kernel's log, too
		event, ok = report.HostEvent{Kind: report.EventUnexpectedShutdown}, e.notClosed()
	default:
		ok = false
	}
	event.At = at
	if e.ID == messageCoredump {
		event.At = e.crashed(event.At)
	}
	return event, ok
}

// notClosed reports whether journald found at the start of the system that its file was not closed.
// It writes the same message about a person's file at their first sign-in, and about each file after
// it was killed itself.
func (e entry) notClosed() bool {
	us, err := strconv.ParseInt(string(e.Monotonic), 10, 64)
	return err == nil && us <= maxStartTime.Microseconds() &&
		(e.Transport == transportKernel || e.Transport == transportDriver) && // a program may use its name
		strings.Contains(string(e.Message), "/system.journal ") && strings.Contains(string(e.Message), "uncleanly shut down")
}

// crashed returns the time of a crash whose core was written at the time of the entry. A time
// that cannot be true, e.g. from before the clock was set, does not count.
func (e entry) crashed(written time.Time) time.Time {
	us, err := strconv.ParseInt(string(e.Crashed), 10, 64)
	at := time.UnixMicro(us)
	if err != nil || at.After(written) || written.Sub(at) > maxDumpTime {
		return written
	}
	return at
}

// signal returns the name of the signal in lower case; older versions of systemd
// write only its number.
func (e entry) signal() string {
	if name := word(string(e.SignalName)); name != "" {
		return name
	}
	if n := word(string(e.Signal)); n != "" {
		return "signal_" + n
	}
	return ""
}

// killedUnit returns the program of a unit that was killed: "app-gnome-firefox-1234.scope: systemd-oomd
// killed 12 process(es) in this unit." By convention of desktop environments, snap and Flatpak its name
// contains the application, with escapes such as \x2d for "-".
func killedUnit(message string) string {
	unit, _, _ := strings.Cut(message, " ")
	unit = strings.TrimSuffix(unit, ":")
	for _, part := range strings.FieldsFunc(unescape(unit), func(r rune) bool { return r == '-' || r == '.' || r == '_' || r == '@' }) {
		if known := program(part); known != "" {
			return known
		}
	}
	return ""
}
