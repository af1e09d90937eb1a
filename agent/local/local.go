// Package local connects the background service of a machine with the programs of the
// people who use the machine.
//
// The service owns the identity and the spool. A program reaches it over HTTP on a Unix
// socket, or on a named pipe on Windows: it reads the status, sends requests for a check
// to the collector, to which the service adds the token, hands over reports, reads what
// the flight recorder has written, and enrols the machine. The token itself never leaves
// the service.
//
// Everybody may connect, so the service admits only the accounts of people (see
// [Peer]), and limits the number of connections, the rate and the size of requests, and
// their time.
package local

import (
	"encoding/json"
	"time"

	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/trust"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Paths of the service.
const (
	pathStatus    = "/v1/status"
	pathSelfCheck = "/v1/self-check"
	pathEnroll    = "/v1/enroll"
	pathAdopt     = "/v1/adopt"
	pathReports   = "/v1/reports"
	pathEvents    = "/v1/events"
	pathHistory   = "/v1/history"
	pathLog       = "/v1/log"
	pathCollector = "/v1/collector"
	// pathNetworkRetest changes whether checks without the microphone need no consent.
	pathNetworkRetest = "/v1/network-retest"
)

// Query parameters of pathEvents and pathHistory.
const (
	querySince = "since"
	queryAt    = "at"
)

// Limits of requests and responses.
const (
	maxRequestBytes = 64 << 10 // everything but a report
	maxAnswerBytes  = 4 << 20  // a full spool lists 1,500 reports of 200 bytes each
)

// Status is what a program may know about the service. It contains no secret.
type Status struct {
	Version string `json:"version"`
	AgentID string `json:"agent_id"`
	// Data is the folder of the service. A program of the administrator may use the same one.
	Data string `json:"data"`
	// Enrolment is nil until the machine is enrolled.
	Enrolment *Enrolment `json:"enrolment,omitempty"`
	// NetworkRetest means that phone support may start checks without the microphone without asking.
	NetworkRetest bool `json:"network_retest"`
	// Targets are the last known conference systems, without credentials.
	Targets wire.Targets `json:"targets"`
}

// Enrolment is identity.Enrolment without the token.
type Enrolment struct {
	Server       string      `json:"server"`
	Participant  string      `json:"participant"`
	CA           string      `json:"ca,omitempty"`
	Pins         *trust.Pins `json:"pins,omitempty"`
	SupportPhone string      `json:"support_phone,omitempty"`
	EnrolledAt   time.Time   `json:"enrolled_at"`
}

// Public returns e without the token; nil for nil.
func Public(e *identity.Enrolment) *Enrolment {
	if e == nil {
		return nil
	}
	return &Enrolment{
		Server: e.Server, Participant: e.Participant, CA: e.CA, Pins: e.Pins,
		SupportPhone: e.SupportPhone, EnrolledAt: e.EnrolledAt,
	}
}

// Invitation is a code for a collector.
type Invitation struct {
	Server string `json:"server"`
	Code   string `json:"code"`
	// Pins and CA define the trust in the collector, in addition to the system's roots.
	Pins *trust.Pins `json:"pins,omitempty"`
	CA   string      `json:"ca,omitempty"`
}

// Listed is a report of the service.
type Listed struct {
	ID    string      `json:"id"`
	State spool.State `json:"state"`
	Time  time.Time   `json:"time"`
	Bytes int64       `json:"bytes"`
}

// Reports are the reports of the service and the record of those that were lost.
type Reports struct {
	Reports []Listed         `json:"reports"`
	Drops   []spool.Drop     `json:"drops"`
	Counts  spool.DropCounts `json:"counts"`
}

// Recorded are the events that the flight recorder of the service has on disk, which is a
// ring of fixed size.
type Recorded struct {
	Events []report.HostEvent `json:"events"` // oldest first
	// Damaged is the number of entries that could not be read.
	Damaged int `json:"damaged,omitempty"`
}

// handedOver is a report of a program.
type handedOver struct {
	Report json.RawMessage `json:"report"`
	// Declined means that the report must not be sent.
	Declined bool `json:"declined,omitempty"`
}

// networkRetest is the body of pathNetworkRetest.
type networkRetest struct {
	Allowed *bool `json:"allowed"`
}

// Finding is one result of the self-check.
type Finding struct {
	Part  Part  `json:"part"`
	State State `json:"state"`
	// Detail is a technical reason in English; empty if everything works.
	Detail string `json:"detail,omitempty"`
	// Next is set for PartSchedule only.
	Next *NextCheck `json:"next,omitempty"`
}

// NextCheck is the next check of the service.
type NextCheck struct {
	At time.Time `json:"at"`
	// Session is the start of the session that it prepares; zero for none.
	Session time.Time `json:"session,omitzero"`
	// Sparing is why the service checks less often at present; empty if it does not.
	Sparing []Sparing `json:"sparing,omitempty"`
}

// Sparing is a reason to use the line and the battery less.
type Sparing string

// Reasons. Programs ignore those that they do not know.
const (
	SparingMetered Sparing = "metered"      // the traffic of the line costs money or is limited
	SparingPower   Sparing = "power_saving" // the computer saves power
)

// Part is what the self-check examines.
type Part string

// Parts of the self-check.
const (
	PartSocket    Part = "socket"
	PartIdentity  Part = "identity"
	PartSpool     Part = "spool"
	PartCollector Part = "collector"
	PartCrash     Part = "crash"
	PartSchedule  Part = "schedule" // not a test: it states the next check
)

// Parts returns all parts that are tested, in the order in which they are shown.
func Parts() []Part { return []Part{PartSocket, PartIdentity, PartSpool, PartCollector, PartCrash} }

// State is the result for one part.
type State string

// States of a part.
const (
	Works   State = "works"
	Fails   State = "fails"
	Partly  State = "partly"  // some of several sources work
	Unknown State = "unknown" // not tested, because another part does not work
)

// States returns all states.
func States() []State { return []State{Works, Fails, Partly, Unknown} }
