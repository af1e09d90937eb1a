package crash

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// kernelReader reads the messages of the kernel in their order. Some make sense only with others: the end of a
// Wi-Fi outage, the return of a USB device, and the control group of a program that was killed.
type kernelReader struct {
	events []kernelRecord
	wifi   wifiOutages
	usb    usbSound
	killed killSummary // of the latest message of its kind
	// present contains the USB devices that are plugged in now.
	present map[usbKey]usbDevice
}

// kernelRecord is an event of a process.
type kernelRecord struct {
	pid   string // "" if it is not known
	event report.HostEvent
}

// killSummary precedes the message about a killed process.
type killSummary struct{ pid, group string }

var (
	reKillSummary = regexp.MustCompile(`^oom-kill:.*task_memcg=([^,]*),task=.*,pid=(\d+)`)
	reProcess     = regexp.MustCompile(`^(?:traps: )?.{1,15}\[(\d+)\]|Kill(?:ed)? process (\d+) \((.+?)\)`)
)

// add adds a message. up is the time since the start of the system, 0 if it is unknown.
func (k *kernelReader) add(at time.Time, up time.Duration, message string) {
	if len(message) > maxKernelMessage {
		message = message[:maxKernelMessage]
	}
	k.usb.add(at, up, message)
	if m := reKillSummary.FindStringSubmatch(message); m != nil {
		k.killed = killSummary{pid: m[2], group: m[1]}
	}
	e, ok := kernelEvent(message)
	if !ok {
		return
	}
	e.At = at
	k.wifi.add(e)
	if e.Kind == report.EventWiFiDropped || len(k.events) >= maxJournalEvents {
		return
	}
	pid, killed := "", ""
	if m := reProcess.FindStringSubmatch(message); m != nil {
		pid, killed = m[1]+m[2], m[3]
	}
	if e.Kind == report.EventOutOfMemory && pid == k.killed.pid && (e.Program == "" || isFirefoxProcess(killed)) {
		if e.Program = k.killed.program(e.Program); e.Program == "" && isGroupLimit(message) {
			return
		}
	}
	k.events = append(k.events, kernelRecord{pid, e})
}

// program returns the program of the killed process. Desktop environments give each application a group of its
// own, so that it tells Thunderbird from Firefox, whose processes have the same names.
func (s killSummary) program(byProcess string) string {
	unit := s.group[strings.LastIndexByte(s.group, '/')+1:]
	if known := killedUnit(unit); known != "" || strings.HasPrefix(unit, "app-") || strings.HasPrefix(unit, "snap.") {
		return known
	}
	return byProcess
}

// forget removes the crashes of a process that a core dump describes better.
func (k *kernelReader) forget(pid string, at time.Time) {
	k.events = slices.DeleteFunc(k.events, func(r kernelRecord) bool {
		return r.event.Kind == report.EventClientCrashed && r.pid == pid && at.Sub(r.event.At).Abs() <= maxDumpTime
	})
}

// all returns the events.
func (k *kernelReader) all() []report.HostEvent {
	all := k.wifi.all()
	for _, r := range k.events {
		all = append(all, r.event)
	}
	return append(all, k.usb.all(k.present)...)
}
