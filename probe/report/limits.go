package report

// ProfileLimits are the limits of a town's own profile that differ from those of the
// shipped profile on which it is based.
type ProfileLimits struct {
	// Base is the name of the shipped profile.
	Base string `json:"base" form:"word" max:"64" empty:"no"`
	// ServerArea is who is responsible for the conference server.
	ServerArea Area `json:"server_area"`
	// Changed are the changed limits.
	Changed []ChangedLimit `json:"changed" max:"96"`
}

// ChangedLimit is one limit. Warn and Fail belong to a limit with two steps, Value to a
// single threshold; nil means that there is none.
type ChangedLimit struct {
	// Name is the name in the profile, such as "voice.rtt_ms".
	Name string `json:"name" form:"name" max:"64" empty:"no"`
	// Warn is the value from which something disturbs.
	Warn *float64 `json:"warn,omitempty" range:"-1e9..1e9"`
	// Fail is the value from which participation is impossible.
	Fail *float64 `json:"fail,omitempty" range:"-1e9..1e9"`
	// Value is the value of a single threshold.
	Value *float64 `json:"value,omitempty" range:"-1e9..1e9"`
	// Source is where the limit comes from.
	Source string `json:"source" max:"200"`
}
