package report

// ConferenceGroup is the first word of the names of the probes of conference systems.
const ConferenceGroup = "conference"

// Names of the probes of the conference systems.
const (
	ProbeBBB     = ConferenceGroup + ".bbb"
	ProbeLiveKit = ConferenceGroup + ".livekit"
	ProbeJanus   = ConferenceGroup + ".janus"
	ProbeWHIP    = ConferenceGroup + ".whip"
	ProbeZoom    = ConferenceGroup + ".zoom"
	ProbeYouTube = ConferenceGroup + ".youtube"
)

func conferenceProbes() []Probe {
	names := []string{ProbeBBB, ProbeLiveKit, ProbeJanus, ProbeWHIP, ProbeZoom, ProbeYouTube}
	probes := make([]Probe, len(names))
	for i, name := range names {
		probes[i] = Probe{Name: name, Data: (*Conference)(nil), Supporting: true, Labels: ConferenceGroup, Against: AgainstConference}
	}
	return probes
}

// Conference is how far a client of a conference system gets.
type Conference struct {
	// URLHost is the host of the system's address.
	URLHost string `json:"url_host" form:"host" max:"253" show:"details dashboard"`
	// Reachable is true when the system itself answered over its interface.
	Reachable *bool `json:"reachable,omitempty" show:"details dashboard"`
	// Version is the version that the system reports.
	Version string `json:"version,omitempty" form:"word" max:"64" show:"details dashboard"`
	// Bridge is the component that transports the sound: bbb-webrtc-sfu, freeswitch or
	// livekit.
	Bridge string `json:"bridge,omitempty" form:"word" max:"32" show:"dashboard"`
	// RelayForced is who sends the sound through a relay (TURN) only, according to the
	// settings that the system gives its clients: users of Firefox, or all; "" for nobody,
	// and if the system does not state it.
	RelayForced string `json:"relay_forced,omitempty" oneof:"firefox all" show:"details dashboard" absent:"nothing"`
	// RTTMS is the median round trip of a small request over an open connection in ms,
	// including the server's own time.
	RTTMS *float64 `json:"rtt_ms,omitempty" show:"details dashboard"`
	// SignallingMS is the time until the signalling connection was open, or was refused
	// because a sign-in is required, in ms.
	SignallingMS *float64 `json:"signalling_ms,omitempty" show:"dashboard"`
	// FailedStep is the first step that failed; "" for none.
	FailedStep string `json:"failed_step,omitempty" form:"word" max:"32" show:"details dashboard" absent:"nothing"`
	// FailedCode is its code.
	FailedCode string `json:"failed_code,omitempty" form:"word" max:"64" show:"details dashboard" absent:"nothing"`
	// FailedHost is the host of that step if it is not URLHost.
	FailedHost string `json:"failed_host,omitempty" form:"host" max:"253" show:"details dashboard" absent:"nothing"`
	// Relays are the system's own relays (TURN), tried with the credentials of the
	// meeting.
	Relays []TURNRelay `json:"relays,omitempty" max:"8" show:"never"`
	// Media is the voice-like stream to the system and back, with the fields of
	// media.voice; nil if no call was made. What arrived at the system is taken from its
	// receiver reports, as far as they cover the stream. If the system encodes the sound
	// again, the round trip includes the time for that, and the downstream loss is a share
	// of the packets that the system numbered.
	Media *MediaVoice `json:"media,omitempty" labels:"media.voice" show:"details dashboard"`
	// PathTCP is true if a path over TCP works, false if a server that offers one is
	// not reached by it; nil if that was not tested.
	PathTCP *bool `json:"path_tcp,omitempty" show:"details dashboard"`
	// PathRelay is the same for a path through a relay (TURN) of the system.
	PathRelay *bool `json:"path_relay,omitempty" show:"details dashboard"`
	// Ports are the published ports of a system whose media path is not public.
	Ports []ConferencePort `json:"ports,omitempty" max:"32" show:"details dashboard" absent:"nothing"`
	// Checks are the steps in order; the dashboard shows them as a ladder.
	Checks []ConferenceCheck `json:"checks" max:"32" show:"never"`
}

// Values of Conference.RelayForced.
const (
	RelayForcedFirefox = "firefox"
	RelayForcedAll     = "all"
)

// ConferenceCheck is one step of a conference check.
type ConferenceCheck struct {
	// Name is what was done.
	Name ConferenceStep `json:"name" show:"never"`
	// Status is the result; unknown if the step was not or could not be done.
	Status Status `json:"status" show:"never"`
	// Code is the reason: a status or code of the system, or a word such as timeout,
	// refused, certificate, not_api, needs_link.
	Code string `json:"code,omitempty" form:"word" max:"64" show:"never"`
	// Host is the host that the step concerns if it is not URLHost: one to which the system
	// redirects, or that it names for a part of its service.
	Host string `json:"host,omitempty" form:"host" max:"253" show:"never"`
	// MS is the duration of the step in ms; nil if it was not done.
	MS *float64 `json:"ms,omitempty" show:"never"`
}

// ConferencePort is what is known about packets to one port of a system.
type ConferencePort struct {
	// Protocol is tcp or udp.
	Protocol string `json:"protocol" oneof:"tcp udp" empty:"no" show:"details dashboard"`
	// Port is the number of the port.
	Port *int `json:"port,omitempty" range:"1..65535" show:"details dashboard"`
	// Answer is open if such packets leave the participant's network: the system's web server or
	// the collector answered, possibly with a refusal. It is rejected if a machine near the
	// participant refused them in the place of the web server, and silent if neither is known.
	Answer PortAnswer `json:"answer" show:"details dashboard"`
}

// PortAnswer is the answer of a port.
type PortAnswer string

// The answers of a port.
const (
	PortOpen     PortAnswer = "open"
	PortRejected PortAnswer = "rejected"
	PortSilent   PortAnswer = "silent"
)

func (PortAnswer) values() []string { return texts(PortOpen, PortRejected, PortSilent) }

// ConferenceStep is the name of a step.
type ConferenceStep string

// The steps, in the order in which a client executes them.
const (
	StepReach      ConferenceStep = "reach"      // a connection with encryption
	StepAPI        ConferenceStep = "api"        // the system's own interface answers
	StepRoundTrip  ConferenceStep = "round_trip" // a series of small requests
	StepPorts      ConferenceStep = "ports"      // further ports of the system
	StepHandshake  ConferenceStep = "handshake"  // the handshake of a stream's ingest
	StepPlain      ConferenceStep = "plain"      // the same without encryption
	StepSignalling ConferenceStep = "signalling" // the connection for the media's signalling
	StepState      ConferenceStep = "state"      // the connection for the meeting's state
	StepSignIn     ConferenceStep = "sign_in"    // the system admits this client
	StepRelay      ConferenceStep = "relay"      // the system's own relays
	StepCall       ConferenceStep = "call"       // offer and answer exchanged
	StepPath       ConferenceStep = "path"       // a path for packets
	StepKeys       ConferenceStep = "keys"       // keys agreed on it
	StepSoundUp    ConferenceStep = "sound_up"   // sound arrives at the system
	StepSoundDown  ConferenceStep = "sound_down" // sound returns
	StepPathTCP    ConferenceStep = "path_tcp"   // a path over TCP
	StepPathRelay  ConferenceStep = "path_relay" // a path through a relay of the system
)

func (ConferenceStep) values() []string {
	return texts(StepReach, StepAPI, StepRoundTrip, StepPorts, StepHandshake, StepPlain, StepSignalling, StepState,
		StepSignIn, StepRelay, StepCall, StepPath, StepKeys, StepSoundUp, StepSoundDown,
		StepPathTCP, StepPathRelay)
}

// Check returns the step with a name, and whether it is among the checks.
func (c *Conference) Check(name ConferenceStep) (ConferenceCheck, bool) {
	for _, step := range c.Checks {
		if step.Name == name {
			return step, true
		}
	}
	return ConferenceCheck{}, false
}
