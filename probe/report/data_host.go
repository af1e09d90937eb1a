package report

import "time"

// Names of the probes of the computer itself.
const (
	ProbeHostLoad  = "host.load"
	ProbeHostCrash = "host.crash"
)

func hostProbes() []Probe {
	return []Probe{
		{Name: ProbeHostLoad, Data: (*HostLoad)(nil), Supporting: true},
		{Name: ProbeHostCrash, Data: (*HostCrash)(nil), Supporting: true},
	}
}

// HostLoad is how busy the computer was during the check, and its power supply. Values
// that the system does not report are nil.
type HostLoad struct {
	// CPUPct is the load of all processors together, averaged over four seconds, in
	// percent. It includes the check itself.
	CPUPct *float64 `json:"cpu_pct,omitempty" show:"details dashboard"`
	// CPUMaxPct is the same in the busiest second, in percent.
	CPUMaxPct *float64 `json:"cpu_max_pct,omitempty" show:"dashboard"`
	// CPUPressurePct is the share of the last ten seconds in which a program waited for
	// a processor, in percent (Linux, PSI).
	CPUPressurePct *float64 `json:"cpu_pressure_pct,omitempty" show:"dashboard"`
	// MemoryFreeMB is the memory that is available to programs without swapping, in MB
	// (10^6 bytes).
	MemoryFreeMB *float64 `json:"memory_free_mb,omitempty" show:"details dashboard"`
	// MemoryPressurePct is the share of the last ten seconds in which a program waited
	// for memory, in percent (Linux, PSI).
	MemoryPressurePct *float64 `json:"memory_pressure_pct,omitempty" show:"dashboard"`
	// DiskFreeMB is the free space on the volume of the person's own files, in MB.
	DiskFreeMB *float64 `json:"disk_free_mb,omitempty" show:"details dashboard"`
	// Power is mains or battery; "" if the system does not report it.
	Power string `json:"power,omitempty" oneof:"mains battery" show:"details dashboard"`
	// BatteryPct is the charge of the battery in percent.
	BatteryPct *float64 `json:"battery_pct,omitempty" show:"dashboard"`
	// PowerSaving is true if a mode is active that slows the computer down to save
	// power.
	PowerSaving *bool `json:"power_saving,omitempty" show:"details dashboard"`
	// Throttled is true if the computer slowed down because of its temperature during
	// the check.
	Throttled *bool `json:"throttled,omitempty" show:"details dashboard"`
}

// HostCrash contains the system's own records of crashed programs and of interruptions
// of the machine. Only names, times and codes are read, never the content of a dump, an
// environment, the name of a network or a path.
type HostCrash struct {
	// WindowS is the length in seconds of the period before the check whose records
	// were read.
	WindowS *float64 `json:"window_s,omitempty" show:"never"`
	// Sources has one entry for each kind of record that this system may keep.
	Sources []HostSource `json:"sources,omitempty" max:"16" show:"never"`
	// Events are the events, oldest first; if there are too many, the newest ones.
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

// HostEvent is one event on the machine.
type HostEvent struct {
	// At is the time by the machine's clock.
	At time.Time `json:"at" show:"details dashboard"`
	// Kind is what happened.
	Kind HostEventKind `json:"kind" show:"details dashboard"`
	// DurationS is the duration in seconds, if known.
	DurationS *float64 `json:"duration_s,omitempty" show:"details dashboard"`
	// Program is the program concerned, one of [Programs]; "" for others. For a lost
	// connection it is the program that was running at the time.
	Program string `json:"program,omitempty" list:"programs" show:"details dashboard"`
	// Detail is the system's own code: a signal (sigsegv), an exception (0xc0000005), a
	// stop code, a reason.
	Detail string `json:"detail,omitempty" form:"word" max:"64" show:"dashboard"`
}

// HostEventKind is what happened to the machine or a program.
type HostEventKind string

// The kinds of events.
const (
	EventClientCrashed      HostEventKind = "client_crashed"
	EventClientHung         HostEventKind = "client_hung"
	EventOutOfMemory        HostEventKind = "out_of_memory" // a program was killed because of low memory
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
