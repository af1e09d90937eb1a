package report

import (
	"reflect"
	"time"
)

// Names of the probes of the computer itself.
const (
	ProbeHostLoad  = "host.load"
	ProbeHostCrash = "host.crash"
	// ProbeHostHistory is in reports of events and of checks that support asked for.
	ProbeHostHistory = "host.history"
)

func hostProbes() []Probe {
	return []Probe{
		{Name: ProbeHostLoad, Data: (*HostLoad)(nil), Supporting: true},
		{Name: ProbeHostCrash, Data: (*HostCrash)(nil), Supporting: true},
		{Name: ProbeHostHistory, Data: (*HostHistory)(nil), Supporting: true},
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
	// Reporting), diagnostic_reports (macOS), panic_records, or recorder (this program's
	// own service).
	Name string `json:"name" oneof:"journal kernel_log core_files crash_folders event_log error_reports diagnostic_reports panic_records recorder" empty:"no" show:"never"`
	// State is read, absent (this system keeps none), not_permitted or failed.
	State string `json:"state" oneof:"read absent not_permitted failed" empty:"no" show:"never"`
}

// HostHistory is the part of the flight recorder around an event: a summary of each
// minute, and the seconds around the event.
type HostHistory struct {
	// At is the time of the event by the machine's clock.
	At time.Time `json:"at" show:"details dashboard"`
	// Kind is what happened.
	Kind HostEventKind `json:"kind" show:"details dashboard"`
	// Suppressed is how many events since the last such report were not reported,
	// because there were too many.
	Suppressed *int `json:"suppressed,omitempty" show:"dashboard"`
	// Minutes are the ten minutes before the report, oldest first.
	Minutes []HostMinute `json:"minutes" max:"16" show:"dashboard"`
	// Seconds are the samples around the event, oldest first, one every two seconds.
	Seconds []HostSecond `json:"seconds" max:"64" show:"never"`
}

// HostMinute is the summary of one minute. A value without a measurement is nil.
type HostMinute struct {
	// At is the beginning of the minute.
	At time.Time `json:"at" show:"dashboard"`
	// Samples is how many samples there are; 30 if the recorder ran all the time.
	Samples *int `json:"samples,omitempty" show:"never"`
	// Link is the connection at the end of the minute; none without one.
	Link string `json:"link,omitempty" oneof:"wifi ethernet cellular vpn none" show:"dashboard"`
	// AwayS is how long there was no connection, in seconds.
	AwayS *float64 `json:"away_s,omitempty" show:"dashboard"`
	// GatewayRTTMS is the median round trip to the router in ms.
	GatewayRTTMS *float64 `json:"gateway_rtt_ms,omitempty" show:"dashboard"`
	// GatewayLossPct is the share of packets to the router without an answer, in percent.
	GatewayLossPct *float64 `json:"gateway_loss_pct,omitempty" show:"dashboard"`
	// ServerRTTMS is the median round trip to the collector in ms.
	ServerRTTMS *float64 `json:"server_rtt_ms,omitempty" show:"dashboard"`
	// ServerLossPct is the share of packets to the collector without an answer, in percent.
	ServerLossPct *float64 `json:"server_loss_pct,omitempty" show:"dashboard"`
	// SignalDBM is the lowest level of the Wi-Fi in dBm.
	SignalDBM *float64 `json:"signal_dbm,omitempty" show:"dashboard"`
	// CPUPct is the highest load of the processors over two seconds, in percent.
	CPUPct *float64 `json:"cpu_pct,omitempty" show:"dashboard"`
	// MemoryFreeMB is the lowest free memory in MB.
	MemoryFreeMB *float64 `json:"memory_free_mb,omitempty" show:"dashboard"`
	// Muted is whether the system's microphone was muted at the end of the minute.
	Muted *bool `json:"muted,omitempty" show:"dashboard"`
	// InUse is whether a program used a microphone.
	InUse *bool `json:"in_use,omitempty" show:"dashboard"`
	// Program is a conference program that ran, the one that is no browser first.
	Program string `json:"program,omitempty" list:"programs" show:"dashboard"`
}

// HostSecond is one sample.
type HostSecond struct {
	// At is the time by the machine's clock.
	At time.Time `json:"at" show:"never"`
	// Link is the connection; none without one.
	Link string `json:"link,omitempty" oneof:"wifi ethernet cellular vpn none" show:"never"`
	// GatewayLost is true if the router did not answer.
	GatewayLost *bool `json:"gateway_lost,omitempty" show:"never"`
	// GatewayRTTMS is the round trip to the router in ms.
	GatewayRTTMS *float64 `json:"gateway_rtt_ms,omitempty" show:"never"`
	// ServerLost is true if the collector did not answer.
	ServerLost *bool `json:"server_lost,omitempty" show:"never"`
	// ServerRTTMS is the round trip to the collector in ms.
	ServerRTTMS *float64 `json:"server_rtt_ms,omitempty" show:"never"`
	// SignalDBM is the level of the Wi-Fi in dBm.
	SignalDBM *float64 `json:"signal_dbm,omitempty" show:"never"`
	// CPUPct is the load of the processors over the two seconds before, in percent.
	CPUPct *float64 `json:"cpu_pct,omitempty" show:"never"`
	// MemoryFreeMB is the free memory in MB.
	MemoryFreeMB *float64 `json:"memory_free_mb,omitempty" show:"never"`
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
	EventSoundCrashed       HostEventKind = "sound_crashed" // the sound system, which the operating system starts again
	EventSleep              HostEventKind = "sleep"
	EventResume             HostEventKind = "resume"
	EventWiFiDropped        HostEventKind = "wifi_dropped"
	EventLinkChanged        HostEventKind = "link_changed" // detail up, down, switched_off or other
	EventDeviceUnplugged    HostEventKind = "device_unplugged"
	EventDeviceChanged      HostEventKind = "device_changed"
	EventServiceRestarted   HostEventKind = "service_restarted"
	EventRestarted          HostEventKind = "restarted"       // the machine, after an orderly shutdown
	EventConnectionLost     HostEventKind = "connection_lost" // detail: link, router or beyond_router
	EventClientStarted      HostEventKind = "client_started"
	EventClientEnded        HostEventKind = "client_ended"  // without a sign of a crash
	EventClockChanged       HostEventKind = "clock_changed" // detail forward or back
	EventOverloaded         HostEventKind = "overloaded"    // detail cpu or memory
	EventDiskLow            HostEventKind = "disk_low"
	EventPowerChanged       HostEventKind = "power_changed" // detail mains, battery, saving_on or saving_off
	EventSupportAsked       HostEventKind = "support_asked" // phone support asked for a check; only in HostHistory
)

func (HostEventKind) values() []string {
	return texts(EventClientCrashed, EventClientHung, EventOutOfMemory, EventBluescreen, EventUnexpectedShutdown,
		EventGPUReset, EventSoundCrashed, EventSleep, EventResume, EventWiFiDropped, EventLinkChanged, EventDeviceUnplugged,
		EventDeviceChanged, EventServiceRestarted, EventRestarted, EventConnectionLost, EventClientStarted, EventClientEnded,
		EventClockChanged, EventOverloaded, EventDiskLow, EventPowerChanged, EventSupportAsked)
}

// Valid reports whether a report can hold the history.
func (h HostHistory) Valid() bool {
	probe, _ := KnownProbes().Find(ProbeHostHistory)
	return validateFields(probe.Fields(), reflect.ValueOf(h)) == nil
}

// Valid reports whether a report can hold the event. One that was read from a file may
// have any content.
func (e HostEvent) Valid() bool {
	probe, _ := KnownProbes().Find(ProbeHostCrash)
	list, _ := probe.Field("events")
	return validateFields(list.Fields, reflect.ValueOf(e)) == nil
}
