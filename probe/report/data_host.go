package report

import "time"

// ProbeHostCrash is the name of the probe that reads crash evidence.
const ProbeHostCrash = "host.crash"

func hostProbes() []Probe {
	return []Probe{{Name: ProbeHostCrash, Data: (*HostCrash)(nil), Supporting: true}}
}

// HostCrash is what the system's own records say of programs that crashed and of the
// machine's standstills. Only names, times and codes are read, never the content of a
// dump, an environment, the name of a network or a path.
type HostCrash struct {
	// WindowS is how far back the records were read, in seconds.
	WindowS *float64 `json:"window_s,omitempty" show:"never"`
	// Sources has one entry for each kind of record that this system may keep.
	Sources []HostSource `json:"sources,omitempty" max:"16" show:"never"`
	// Events are what happened, oldest first; of more than fit, the newest.
	Events []HostEvent `json:"events" max:"64" show:"details dashboard"`
}

// HostSource is one kind of record.
type HostSource struct {
	// Name is journal (systemd), kernel_log, core_files, crash_folders (of browsers and
	// conference programs), event_log (Windows), error_reports (Windows Error
	// Reporting), diagnostic_reports (macOS) or panic_records.
	Name string `json:"name" oneof:"journal kernel_log core_files crash_folders event_log error_reports diagnostic_reports panic_records" empty:"no" show:"never"`
	// State is read, absent (this system keeps none), not_permitted or failed.
	State string `json:"state" oneof:"read absent not_permitted failed" empty:"no" show:"never"`
}

// HostEvent is one thing that happened on the machine.
type HostEvent struct {
	// At is when it happened, by the machine's clock.
	At time.Time `json:"at" show:"details dashboard"`
	// Kind says what happened.
	Kind HostEventKind `json:"kind" show:"details dashboard"`
	// Program is the program that it happened to, of [Programs]; "" for any other.
	Program string `json:"program,omitempty" list:"programs" show:"details dashboard"`
	// Detail is the system's own code: a signal (sigsegv), an exception (0xc0000005), a
	// stop code, a reason.
	Detail string `json:"detail,omitempty" form:"word" max:"64" show:"dashboard"`
}

// HostEventKind says what happened to the machine or to a program.
type HostEventKind string

// The kinds of events.
const (
	EventClientCrashed      HostEventKind = "client_crashed"
	EventClientHung         HostEventKind = "client_hung"
	EventOutOfMemory        HostEventKind = "out_of_memory" // a program was ended for want of memory
	EventBluescreen         HostEventKind = "bluescreen"    // the system itself crashed
	EventUnexpectedShutdown HostEventKind = "unexpected_shutdown"
	EventGPUReset           HostEventKind = "gpu_reset"
	EventSleep              HostEventKind = "sleep"
	EventResume             HostEventKind = "resume"
	EventWiFiDropped        HostEventKind = "wifi_dropped"
	EventLinkChanged        HostEventKind = "link_changed" // detail up or down
	EventDeviceUnplugged    HostEventKind = "device_unplugged"
	EventDeviceChanged      HostEventKind = "device_changed"
	EventServiceRestarted   HostEventKind = "service_restarted"
)

func (HostEventKind) values() []string {
	return texts(EventClientCrashed, EventClientHung, EventOutOfMemory, EventBluescreen, EventUnexpectedShutdown,
		EventGPUReset, EventSleep, EventResume, EventWiFiDropped, EventLinkChanged, EventDeviceUnplugged,
		EventDeviceChanged, EventServiceRestarted)
}
