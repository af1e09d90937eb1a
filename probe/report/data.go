package report

// Data is what a probe measured: a pointer to one of the types below.
type Data interface{ probeName() string }

// Names of the probes, as they stand in Result.Name.
const (
	ProbeAudioInput  = "audio.input"
	ProbeAudioOutput = "audio.output"
	ProbeNAT         = "nat"
	ProbeNATBehavior = "nat.behavior"
	ProbeNATTURN     = "nat.turn"
	ProbeMediaVoice  = "media.voice"
	ProbeNetworkWeb  = "network.web"
	ProbeNetworkLink = "network.link"
	ProbeNetworkPath = "network.path"
	ProbeMediaLoad   = "media.load"
)

// probeNames are the names this version knows the data of.
var probeNames = [...]string{
	ProbeAudioInput, ProbeAudioOutput, ProbeNAT, ProbeNATBehavior, ProbeMediaVoice, ProbeNetworkWeb,
	ProbeNetworkLink, ProbeNetworkPath, ProbeMediaLoad, ProbeNATTURN,
}

// newData returns an empty value for the probe called name, or nil when this
// version does not know it.
func newData(name string) Data {
	switch name {
	case ProbeAudioInput:
		return new(AudioInput)
	case ProbeAudioOutput:
		return new(AudioOutput)
	case ProbeNAT:
		return new(NAT)
	case ProbeNATBehavior:
		return new(NATBehavior)
	case ProbeNATTURN:
		return new(NATTURN)
	case ProbeMediaVoice:
		return new(MediaVoice)
	case ProbeNetworkWeb:
		return new(NetworkWeb)
	case ProbeNetworkLink:
		return new(NetworkLink)
	case ProbeNetworkPath:
		return new(NetworkPath)
	case ProbeMediaLoad:
		return new(MediaLoad)
	}
	return nil
}

func (*AudioInput) probeName() string  { return ProbeAudioInput }
func (*AudioOutput) probeName() string { return ProbeAudioOutput }
func (*NAT) probeName() string         { return ProbeNAT }
func (*NATBehavior) probeName() string { return ProbeNATBehavior }
func (*NATTURN) probeName() string     { return ProbeNATTURN }
func (*MediaVoice) probeName() string  { return ProbeMediaVoice }
func (*NetworkWeb) probeName() string  { return ProbeNetworkWeb }
func (*NetworkLink) probeName() string { return ProbeNetworkLink }
func (*NetworkPath) probeName() string { return ProbeNetworkPath }
func (*MediaLoad) probeName() string   { return ProbeMediaLoad }

// Interval is a 95 % confidence interval, both ends in the unit of its field.
type Interval [2]float64
