// Package report defines the document that travels: one check of one
// participant's machine. It is made once, is immutable afterwards, and is the
// same on the screen, on disk, on the wire and in the database.
//
// Only what the types of this package name can travel: decoding drops every
// field they do not know, so the types are the allow-list that keeps audio,
// SSIDs, host names, user names and file paths on the participant's machine.
//
// In every data type a nil pointer means "not measured". It is never the same
// as zero or false, and no screen may show it as good.
package report

import "time"

// SchemaV1 names the version of the document that this package reads and writes.
const SchemaV1 = "tonprobe.report/v1"

// MaxBytes is the largest document that is accepted, uncompressed.
const MaxBytes = 256 << 10

// Report is one finished check.
type Report struct {
	// Schema is the document's kind and version, "tonprobe.report/v1".
	Schema string `json:"schema" oneof:"tonprobe.report/v1" empty:"no"`
	// ID is a UUIDv7. A collector keeps one report per ID, however often it arrives.
	ID string `json:"id" form:"uuidv7" max:"36" empty:"no"`
	// Case is the code a councillor reads out on the phone, such as K7P-3QX.
	Case string `json:"case" form:"case" max:"7" empty:"no"`
	// Agent is the program that measured.
	Agent Agent `json:"agent"`
	// Trigger says who asked for the check.
	Trigger Trigger `json:"trigger"`
	// Profile names the set of limits the causes were judged by.
	Profile string `json:"profile" form:"word" max:"64" empty:"no"`
	// Target is the conference system's address the check was made for, without
	// path, query and user; empty when only the collector's reflector was measured.
	Target string `json:"target" form:"target" max:"512"`
	// StartedAt is the agent's clock, UTC. The collector's time of receipt is
	// what "last seen" means; see NetworkWeb.ClockOffsetMS for their difference.
	StartedAt time.Time `json:"started_at"`
	// DurationMS is the length of the whole check in ms.
	DurationMS int64 `json:"duration_ms"`
	// FirstVerdictMS is the time in ms from the start until the first measured
	// finding could be shown; 0 when nothing could be measured.
	FirstVerdictMS int64 `json:"first_verdict_ms"`
	// Verdict is the answer to "will I be heard?".
	Verdict Verdict `json:"verdict"`
	// Probes are the results, one per probe, in the order of the plan.
	Probes []Result `json:"probes" max:"32"`
	// Causes are the named reasons, the primary one first.
	Causes []Cause `json:"causes" max:"64"`
}

// Agent is the program that measured.
type Agent struct {
	// ID is a random UUID kept on disk, never derived from hardware; empty
	// before the agent is enrolled.
	ID string `json:"id" form:"uuid" max:"36"`
	// Version is the program's version, such as "1.4.0".
	Version string `json:"version" max:"64"`
	// OS is the operating system as Go names it: linux, windows, darwin.
	OS string `json:"os" form:"word" max:"32" empty:"no"`
	// Arch is the processor as Go names it: amd64, arm64.
	Arch string `json:"arch" form:"word" max:"32" empty:"no"`
}

// Trigger says who asked for a check.
type Trigger string

// The triggers of a check.
const (
	TriggerCheck    Trigger = "check"    // the participant started it
	TriggerSchedule Trigger = "schedule" // the background service
	TriggerSupport  Trigger = "support"  // phone support asked for it
	TriggerEvent    Trigger = "event"    // a watcher saw something happen
)

// Verdict is the answer to "will I be heard?".
type Verdict string

// The verdicts, from best to "cannot tell".
const (
	Ready    Verdict = "ready"
	Limited  Verdict = "limited"
	NotReady Verdict = "not_ready"
	Unknown  Verdict = "unknown"
)

// Status is what one probe found.
type Status string

// The states of a probe. StatusUnknown means that it ran and could not tell,
// StatusSkipped that it was not asked for.
const (
	StatusOK      Status = "ok"
	StatusWarn    Status = "warn"
	StatusFail    Status = "fail"
	StatusUnknown Status = "unknown"
	StatusSkipped Status = "skipped"
)

// Result is what one probe measured.
type Result struct {
	// Name is the probe's name, such as "audio.input".
	Name string `json:"name" form:"name" max:"64" empty:"no"`
	// Version rises when the meaning of a field of this probe changes.
	Version int `json:"version" range:"0..1e6"`
	// Status is what the probe found.
	Status Status `json:"status"`
	// StartedAt is the agent's clock, UTC.
	StartedAt time.Time `json:"started_at"`
	// DurationMS is how long the probe took in ms.
	DurationMS int64 `json:"duration_ms"`
	// Error says why the probe could not run or could not tell. It never holds
	// a path, a host name or a user name.
	Error string `json:"error" max:"300"`
	// Data is a pointer to the type that belongs to Name, or nil.
	Data Data `json:"data,omitempty"`
}

// Severity says how much a cause disturbs.
type Severity string

// The severities.
const (
	SeverityFail Severity = "fail" // will not be heard, or cannot take part
	SeverityWarn Severity = "warn" // can take part, with disturbances
	SeverityInfo Severity = "info" // worth knowing; not a fault
)

// Area says in whose hands a cause lies, as the disturbance law asks
// (DigiSiVO NRW § 10).
type Area string

// The areas of responsibility.
const (
	AreaParticipant  Area = "participant"
	AreaMunicipality Area = "municipality"
	AreaProvider     Area = "provider"
	AreaUnknown      Area = "unknown"
)

// Endpoint is the server that a cause speaks of.
type Endpoint string

// The endpoints. A fault of one is never told of another.
const (
	EndpointNone       Endpoint = ""           // no server takes part, as with a microphone
	EndpointConference Endpoint = "conference" // the conference system at the report's target
	EndpointReflector  Endpoint = "reflector"  // the collector's STUN, TURN and echo
	EndpointCollector  Endpoint = "collector"  // the collector's web server
)

// Cause is one named reason, with its proof.
type Cause struct {
	// Code names the cause in the catalogue, such as "audio.os_muted".
	Code string `json:"code" form:"code" max:"64" empty:"no"`
	// Severity says how much it disturbs.
	Severity Severity `json:"severity"`
	// Confidence is 0..1: how far the evidence passes its limit, and how much
	// of what the rule wants to see was measured.
	Confidence float64 `json:"confidence" range:"0..1"`
	// Primary marks the one to fix first. At most one cause of a report has it.
	Primary bool `json:"primary"`
	// Area says in whose hands it lies.
	Area Area `json:"area"`
	// Endpoint is the server that it was measured against; empty where none took part.
	// A cause conf.* speaks of the conference system where one was checked, and of the
	// reflector or the collector only where none was.
	Endpoint Endpoint `json:"endpoint,omitempty"`
	// Evidence is what was measured.
	Evidence []Evidence `json:"evidence" max:"16"`
}

// Evidence is one measured value behind a cause.
type Evidence struct {
	// Probe is the name of the probe that measured it.
	Probe string `json:"probe" form:"name" max:"64" empty:"no"`
	// Field is the name of the value in that probe's data.
	Field string `json:"field" form:"field" max:"64" empty:"no"`
	// Value is a bool, a number or a short string, as it stands in the probe's data.
	Value any `json:"value" max:"200"`
	// Unit is the unit of Value as people write it, such as "dBFS"; empty when it has none.
	Unit string `json:"unit" max:"64"`
	// Limit is the rule's bound in words a person can read, such as "< -40".
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

// Probe returns the result of the probe called name, and whether it is there.
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
