// Package report defines the document of one check of one participant's machine. It is
// created once, is immutable afterwards, and is the same on the screen, on disk, on the
// wire and in the database.
//
// Only what the types of this package define can be sent: decoding drops every other
// field, so that the types are the allow-list that keeps audio, SSIDs, host names, user
// names and file paths on the participant's machine.
//
// In every data type a nil pointer means "not measured". It never means zero or false,
// and no screen may show it as good.
package report

import "time"

// SchemaV1 identifies the version of the document that this package reads and writes.
const SchemaV1 = "tonprobe.report/v1"

// MaxBytes is the largest document that is accepted, uncompressed.
const MaxBytes = 256 << 10

// Report is one finished check.
type Report struct {
	// Schema is the document's kind and version, "tonprobe.report/v1".
	Schema string `json:"schema" oneof:"tonprobe.report/v1" empty:"no"`
	// ID is a UUIDv7. A collector stores one report per ID, however often it arrives.
	ID string `json:"id" form:"uuidv7" max:"36" empty:"no"`
	// Case is the code that a councillor reads out on the phone, such as K7P-3QX.
	Case string `json:"case" form:"case" max:"7" empty:"no"`
	// Agent is the program that measured.
	Agent Agent `json:"agent"`
	// Trigger is what started the check.
	Trigger Trigger `json:"trigger"`
	// Profile is the name of the set of limits used for the diagnosis.
	Profile string `json:"profile" form:"word" max:"64" empty:"no"`
	// Limits are those that a town's own profile changed; nil for a shipped profile. They
	// explain the report even after the profile was changed.
	Limits *ProfileLimits `json:"limits,omitempty"`
	// Target is the address of the conference system that was checked, without path,
	// query and user; empty if only the collector and its reflector were.
	Target string `json:"target" form:"target" max:"512"`
	// StartedAt is the time of the agent's clock, UTC. "Last seen" refers to the
	// collector's time of receipt; see NetworkWeb.ClockOffsetMS for the difference.
	StartedAt time.Time `json:"started_at"`
	// DurationMS is the length of the whole check in ms.
	DurationMS int64 `json:"duration_ms"`
	// FirstVerdictMS is the time in ms from the start until the first finding could be
	// shown; 0 if nothing could be measured.
	FirstVerdictMS int64 `json:"first_verdict_ms"`
	// Verdict is the answer to "will I be heard?".
	Verdict Verdict `json:"verdict"`
	// Probes are the results, one per probe, in the order of the plan.
	Probes []Result `json:"probes" max:"32"`
	// Causes are the causes that were found, the primary one first.
	Causes []Cause `json:"causes" max:"64"`
}

// Agent is the program that measured.
type Agent struct {
	// ID is a random UUID stored on disk, never derived from hardware; empty before the
	// agent is enrolled.
	ID string `json:"id" form:"uuid" max:"36"`
	// Version is the program's version, such as "1.4.0".
	Version string `json:"version" max:"64"`
	// OS is the operating system as Go names it: linux, windows, darwin.
	OS string `json:"os" form:"word" max:"32" empty:"no"`
	// Arch is the processor as Go names it: amd64, arm64.
	Arch string `json:"arch" form:"word" max:"32" empty:"no"`
}

// Trigger is what started a check.
type Trigger string

// The triggers.
const (
	TriggerCheck    Trigger = "check"    // the participant started it
	TriggerSchedule Trigger = "schedule" // the background service
	TriggerSupport  Trigger = "support"  // phone support asked for it
	TriggerEvent    Trigger = "event"    // a watcher detected an event
)

// Verdict is the answer to "will I be heard?".
type Verdict string

// The verdicts, from best to worst; Unknown means that it cannot be told.
const (
	Ready    Verdict = "ready"
	Limited  Verdict = "limited"
	NotReady Verdict = "not_ready"
	Unknown  Verdict = "unknown"
)

// Status is the finding of one probe.
type Status string

// The statuses. StatusUnknown means that the probe ran without a result, StatusSkipped
// that it was not requested.
const (
	StatusOK      Status = "ok"
	StatusWarn    Status = "warn"
	StatusFail    Status = "fail"
	StatusUnknown Status = "unknown"
	StatusSkipped Status = "skipped"
)

// Result is the result of one probe.
type Result struct {
	// Name is the probe's name, such as "audio.input".
	Name string `json:"name" form:"name" max:"64" empty:"no"`
	// Version is incremented when the meaning of a field of this probe changes.
	Version int `json:"version" range:"0..1e6"`
	// Status is the finding.
	Status Status `json:"status"`
	// StartedAt is the agent's clock, UTC.
	StartedAt time.Time `json:"started_at"`
	// DurationMS is the duration of the probe in ms.
	DurationMS int64 `json:"duration_ms"`
	// Error is why the probe could not run or has no result. It never contains a path,
	// a host name or a user name.
	Error string `json:"error" max:"300"`
	// Data is a pointer to the type that belongs to Name, or nil.
	Data Data `json:"data,omitempty"`
}

// Severity is the effect of a cause on the participant.
type Severity string

// The severities.
const (
	SeverityFail Severity = "fail" // will not be heard, or cannot take part
	SeverityWarn Severity = "warn" // can take part, with disturbances
	SeverityInfo Severity = "info" // worth knowing; not a fault
)

// Area is who is responsible, as required by the law on disturbances (DigiSiVO NRW §
// 10).
type Area string

// The areas of responsibility.
const (
	AreaParticipant  Area = "participant"
	AreaMunicipality Area = "municipality"
	AreaProvider     Area = "provider"
	AreaUnknown      Area = "unknown"
)

// Endpoint is the server that a cause refers to.
type Endpoint string

// The endpoints. A fault of one is never attributed to another.
const (
	EndpointNone       Endpoint = ""           // no server is involved, as with a microphone
	EndpointConference Endpoint = "conference" // the conference system at the report's target
	EndpointReflector  Endpoint = "reflector"  // the collector's STUN, TURN and echo
	EndpointCollector  Endpoint = "collector"  // the collector's web server
)

// Cause is one cause with its evidence.
type Cause struct {
	// Code names the cause in the catalogue, such as "audio.os_muted".
	Code string `json:"code" form:"code" max:"64" empty:"no"`
	// Severity is the effect of the cause on the participant.
	Severity Severity `json:"severity"`
	// Confidence is 0..1. It depends on how far the evidence exceeds its limit, and on
	// how much of what the rule uses was measured.
	Confidence float64 `json:"confidence" range:"0..1"`
	// Primary marks the one to fix first. At most one cause of a report has it.
	Primary bool `json:"primary"`
	// Area is who is responsible.
	Area Area `json:"area"`
	// Endpoint is the server that it was measured against; empty if none was involved.
	// Causes conf.* refer to the conference system if one was checked, and to the
	// reflector or the collector otherwise.
	Endpoint Endpoint `json:"endpoint,omitempty"`
	// Evidence contains the measured values that prove it.
	Evidence []Evidence `json:"evidence" max:"16"`
}

// Evidence is one measured value behind a cause.
type Evidence struct {
	// Probe is the name of the probe that measured it.
	Probe string `json:"probe" form:"name" max:"64" empty:"no"`
	// Field is the name of the value in that probe's data.
	Field string `json:"field" form:"field" max:"64" empty:"no"`
	// Value is a bool, a number or a short string, as in the data of the probe.
	Value any `json:"value" max:"200"`
	// Unit is the unit of Value for display, such as "dBFS"; empty if it has none.
	Unit string `json:"unit" max:"64"`
	// Limit is the limit of the rule for display, such as "< -40".
	Limit string `json:"limit"`
}

// Primary returns the cause to fix first, and whether there is one.
func (r *Report) Primary() (Cause, bool) {
	for _, c := range r.Causes {
		if c.Primary {
			return c, true
		}
	}
	return Cause{}, false
}

// Probe returns the result of the named probe, and whether there is one.
func (r *Report) Probe(name string) (Result, bool) {
	for _, p := range r.Probes {
		if p.Name == name {
			return p, true
		}
	}
	return Result{}, false
}

// Find returns the data of the first probe whose data has type T, or nil.
func Find[T any](r *Report) *T {
	for _, p := range r.Probes {
		if d, ok := any(p.Data).(*T); ok && d != nil {
			return d
		}
	}
	return nil
}
