package crash

import (
	"regexp"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
)

// kernelRule recognises an event in a message of the Linux kernel. detail and
// program are named groups of the pattern.
type kernelRule struct {
	pattern *regexp.Regexp
	kind    report.HostEventKind // "" for messages that are no event
	detail  string               // used if the pattern has no such group
}

// kernelRules match messages of mm/oom_kill.c, kernel/power/suspend.c, kernel/signal.c,
// arch/x86/mm/fault.c, net/mac80211/mlme.c, drivers/net/phy/phy.c and the graphics
// drivers. The messages are not a stable interface, but most have not changed for years;
// if one has changed, the pattern matches both forms.
var kernelRules = []kernelRule{
	{
		// "Out of memory: Killed process 7 (name) total-vm:…", before 5.3 "Out of
		// memory: Kill process 7 (name) score …"; in a control group "Memory cgroup
		// out of memory: …" (see kernelEvent). The name may contain parentheses.
		pattern: regexp.MustCompile(`^(?:Memory cgroup )?[Oo]ut of memory[^:]*: Kill(?:ed)? process \d+ \((?P<program>.+?)\),? (?:total-vm|UID|score)`),
		kind:    report.EventOutOfMemory,
	},
	{
		pattern: regexp.MustCompile(`^(?P<program>.{1,15})\[\d+\]: segfault at `),
		kind:    report.EventClientCrashed, detail: "sigsegv",
	},
	{
		// Caused by __builtin_trap and Chromium's IMMEDIATE_CRASH.
		pattern: regexp.MustCompile(`^traps: (?P<program>.{1,15})\[\d+\] (?:trap )?(?P<detail>int3|invalid opcode|general protection|divide error|stack segment|control protection)`),
		kind:    report.EventClientCrashed,
	},
	{
		pattern: regexp.MustCompile(`^PM: (?:suspend|hibernation)(?:: hibernation)? entry(?: \((?P<detail>[a-z0-9]+)\))?`),
		kind:    report.EventSleep,
	},
	{
		pattern: regexp.MustCompile(`^PM: (?:suspend|hibernation)(?:: hibernation)? exit`),
		kind:    report.EventResume,
	},
	{
		// A person or a program switched the network off, or to another one.
		// Reason 3, or 8 for a disassociation. wpa_supplicant gives others if an access point does not answer.
		pattern: regexp.MustCompile(`^wl[a-z0-9]+: (?:deauthenticating|disassociating) from .* by local choice(?: \((?:Reason: |reason=)(?:3|8)\b.*)?$`),
		kind:    report.EventLinkChanged, detail: detailSwitchedOff,
	},
	{
		pattern: regexp.MustCompile(`^wl[a-z0-9]+: (?:deauthenticat(?:ed|ing)|disassociat(?:ed|ing)) from .*\((?:Reason: |reason=)(?P<detail>\d+)`),
		kind:    report.EventWiFiDropped,
	},
	{
		pattern: regexp.MustCompile(`^wl[a-z0-9]+: Driver requested disconnection from AP `),
		kind:    report.EventWiFiDropped, detail: "driver",
	},
	{
		pattern: regexp.MustCompile(`^wl[a-z0-9]+: Connection to AP .* lost`),
		kind:    report.EventWiFiDropped, detail: "access_point_lost",
	},
	{
		pattern: regexp.MustCompile(`^wl[a-z0-9]+: associated`),
		kind:    report.EventLinkChanged, detail: "up",
	},
	{
		// The firmware of a Wi-Fi chip crashed. Its driver starts it again, and connects again.
		pattern: regexp.MustCompile(`^iwlwifi .*: Microcode SW error detected|^ath1[0-2]k\w* .*: firmware crashed|^brcmfmac.*: (?:Firmware has halted or crashed|.*firmware trap in dongle)|^mt79\w+ .*: chip (?:full )?reset`),
		kind:    report.EventWiFiDropped, detail: detailFirmware,
	},
	{
		// "e1000e 0000:00:1f.6 eno1: NIC Link is Down"; igb, and e1000e before 5.6, name the interface again.
		pattern: regexp.MustCompile(`: (?:[\w.]+ )?(?:NIC )?Link is (?P<detail>Up|Down|up|down)\b`),
		kind:    report.EventLinkChanged,
	},
	{
		// USB adapters and docks.
		pattern: regexp.MustCompile(`^r8152 .*: carrier on`),
		kind:    report.EventLinkChanged, detail: "up",
	},
	{
		pattern: regexp.MustCompile(`^r8152 .*: carrier off`),
		kind:    report.EventLinkChanged, detail: "down",
	},
	{
		pattern: regexp.MustCompile(`(?:\[drm\]|drm:).*(?:GPU HANG|GPU reset|\*ERROR\* ring \S+ timeout)|^amdgpu .*(?:GPU reset begin|ring \S+ timeout, (?:signaled|but soft))|i915 .*(?:GPU HANG|Resetting (?:chip|rcs|GPU))|^xe .*(?:Engine reset: engine_class=|Timedout job: )|^radeon .*GPU lockup|drm:.*Resetting GPU for hang|nouveau .*(?:channel .* killed|reset)`),
		kind:    report.EventGPUReset,
	},
	{
		// Not a fault of the graphics: a program that used them was ended (45), notes about the memory
		// (63, 64, 92), and a change of what to do about another error (154).
		pattern: regexp.MustCompile(`^NVRM: Xid \([^)]*\): (?:45|63|64|92|154),`),
	},
	{
		pattern: regexp.MustCompile(`^NVRM: Xid \([^)]*\): (?P<detail>\d+)`),
		kind:    report.EventGPUReset,
	},
}

// kernelDetail adds a prefix to the reason of a disconnect and to the error number
// of a driver.
func kernelDetail(kind report.HostEventKind, detail string) string {
	detail = word(strings.ReplaceAll(detail, " ", "_"))
	switch {
	case detail == "":
		return ""
	case kind == report.EventWiFiDropped && detail[0] <= '9':
		return "reason_" + detail // IEEE 802.11-2020, table 9-49
	case kind == report.EventGPUReset && detail[0] <= '9':
		return "xid_" + detail
	}
	return detail
}

// maxKernelMessage limits how much of a message is read, in bytes.
const maxKernelMessage = 1000

// reMapping matches the file in which a program crashed: "… error 4 in chrome[55d0c0000000+9000]".
var reMapping = regexp.MustCompile(` in ([^\[\]]+)\[[0-9a-f,+]+\]`)

// crashedIn returns the crash of a process. Unless it happened in a library, the file is the program, whose
// processes and threads may have any name.
func crashedIn(e report.HostEvent, process, message string) report.HostEvent {
	if m := reMapping.FindStringSubmatch(message); m != nil && !strings.Contains(m[1], ".so") {
		e.Program = program(m[1])
	}
	if e.Program == "" && isSoundSystem(process) {
		e.Kind = report.EventSoundCrashed
	}
	return e
}

// isGroupLimit reports whether a message is about the limit of a control group, not about the machine's memory.
func isGroupLimit(message string) bool { return strings.HasPrefix(message, "Memory cgroup") }

// kernelEvent parses a message of the kernel. The caller sets the time. ok is false
// for other messages, and for crashes of programs that are not conference programs.
func kernelEvent(message string) (e report.HostEvent, ok bool) {
	if len(message) > maxKernelMessage {
		message = message[:maxKernelMessage]
	}
	for _, r := range kernelRules {
		m := r.pattern.FindStringSubmatch(message)
		if m == nil {
			continue
		}
		if r.kind == "" {
			break
		}
		e := report.HostEvent{Kind: r.kind, Detail: r.detail}
		if i := r.pattern.SubexpIndex("program"); i >= 0 {
			e.Program = program(m[i])
			if e.Kind == report.EventClientCrashed {
				e = crashedIn(e, m[i], message)
			}
		}
		if i := r.pattern.SubexpIndex("detail"); i >= 0 {
			e.Detail = kernelDetail(r.kind, m[i])
		}
		// The limit of a control group applies to one program, not to the machine's memory.
		ofProgram := e.Kind == report.EventClientCrashed || isGroupLimit(message)
		if ofProgram && e.Program == "" {
			return report.HostEvent{}, false
		}
		return e, true
	}
	return report.HostEvent{}, false
}
