package capture

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/osstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

// protocolVersion changes with every incompatible change. Parent and child are the
// same file, so their versions differ only while an update replaces it.
const protocolVersion = 3

// Op is the operation that a child performs.
type Op string

// Operations of a child.
const (
	OpDevices Op = "devices" // list the devices and end
	OpCapture Op = "capture" // list the devices, then stream one of them
	OpPlay    Op = "play"    // play the attached sound and exit
	OpLoop    Op = "loop"    // stream one device while playing the sound
)

// plays reports whether a sound follows the request.
func (o Op) plays() bool { return o == OpPlay || o == OpLoop }

// Request is the single line of JSON that the parent sends to the child.
type Request struct {
	Op Op `json:"op"`
	// Device is the name or ID of a device; empty means the default.
	Device string `json:"device,omitempty"`
	// Output is the name or ID of a loudspeaker; empty means the default.
	Output string `json:"output,omitempty"`
	// Frames and Channels are the size of the sound that follows the line, as
	// interleaved little-endian 32-bit floats at RateHz, at most MaxPlay.
	Frames   int `json:"frames,omitempty"`
	Channels int `json:"channels,omitempty"`
	// Blind disables monitoring of the system's device state.
	Blind bool `json:"blind,omitempty"`
	// LimitMS is the time after which the child exits in any case, 1 ms to MaxLimit.
	LimitMS int64 `json:"limit_ms"`
}

// MaxLimit is the longest lifetime of a child.
const MaxLimit = 10 * time.Minute

// MaxPlay is the length of the longest sound to play.
const MaxPlay = 10 * time.Second

// Device is a capture device (or a loudspeaker, where stated) as the sound system
// presents it. Its name may contain a person's name: it is for the screen only, not
// for a report.
type Device struct {
	Name string `json:"name"`
	ID   string `json:"id"`
	// Product is [osstate.Device.Product].
	Product string `json:"product,omitempty"`
	// IsDefault marks the device for programs that do not choose one.
	IsDefault bool `json:"is_default"`
	// IsDefaultComms marks the default communications device of Windows, which may differ.
	IsDefaultComms bool `json:"is_default_comms,omitempty"`
	// IsMonitor marks the monitor of a loudspeaker, which is not a microphone.
	IsMonitor      bool `json:"is_monitor"`
	IsBluetooth    bool `json:"is_bluetooth"`
	NativeRateHz   int  `json:"native_rate_hz,omitempty"`
	NativeChannels int  `json:"native_channels,omitempty"`
}

// Message is a message of the child: Hello, Devices, State, Started, PCM, Playing,
// Played, Stopped or Failure.
type Message interface{ message() kind }

// Hello is the first message of every child.
type Hello struct {
	Version int `json:"version"`
}

// Devices lists the capture devices; for OpPlay it lists the loudspeakers instead.
type Devices struct {
	Backend string   `json:"backend"`
	Devices []Device `json:"devices"`
	Outputs []Device `json:"outputs,omitempty"`
}

// State is the system's state of its devices. It is sent again after each change.
type State struct {
	osstate.Snapshot
	// Last is set in the reply to the parent's request for a last look. If nothing
	// could be read, the rest is empty.
	Last bool `json:"last,omitempty"`
	// Unread is set if the system could not be queried.
	Unread bool `json:"unread,omitempty"`
	// ServerGone is set if the sound server no longer runs.
	ServerGone bool `json:"server_gone,omitempty"`
}

// Started means that the stream runs.
type Started struct {
	Device   Device `json:"device"`
	RateHz   int    `json:"rate_hz"`
	Channels int    `json:"channels"`
	PeriodMS int    `json:"period_ms"`
	// AtNS is the start time on the clock of PCM.AtNS.
	AtNS int64 `json:"at_ns"`
}

// PCM contains the samples of one callback.
type PCM struct {
	// AtNS is the child's monotonic clock at the callback, so that a slow parent does
	// not look like a gap.
	AtNS int64
	// LostFrames were captured and discarded because the parent did not read.
	LostFrames uint32
	// Samples are interleaved and valid only until the handler returns.
	Samples []float32
}

// Playing means that the first sample was handed to the sound system.
type Playing struct {
	Device Device `json:"device"`
	// Muted and VolumeDB describe the loudspeaker, where the system provides them.
	Muted    *bool    `json:"muted,omitempty"`
	VolumeDB *float64 `json:"volume_db,omitempty"`
	// AtNS is the time of that sample on the clock of PCM.AtNS.
	AtNS int64 `json:"at_ns"`
}

// Played means that playback has ended. The child of an OpPlay then exits.
type Played struct {
	// Muted and VolumeDB are as in Playing, read again.
	Muted    *bool    `json:"muted,omitempty"`
	VolumeDB *float64 `json:"volume_db,omitempty"`
}

// Stopped means that the sound system reported the end of the stream. More samples
// may follow after a reroute. If none do, the watchdog detects it.
type Stopped struct{}

// Failure states why there is no stream.
type Failure struct {
	State report.CaptureState `json:"state"`
	Text  string              `json:"text"`
	// Reason states why there is no sound system or session, if known.
	Reason report.NoSoundReason `json:"reason,omitempty"`
}

func (Hello) message() kind   { return kindHello }
func (Devices) message() kind { return kindDevices }
func (State) message() kind   { return kindState }
func (Started) message() kind { return kindStarted }
func (PCM) message() kind     { return kindPCM }
func (Playing) message() kind { return kindPlaying }
func (Played) message() kind  { return kindPlayed }
func (Stopped) message() kind { return kindStop }
func (Failure) message() kind { return kindFailure }

// decoder reads the messages of a child and enforces their order.
type decoder struct {
	r        io.Reader
	greeted  bool
	channels int // of the running stream; 0 before Started

	payload []byte
	// samples are two alternating buffers: one message is handled while the next is
	// decoded.
	samples [2][]float32
	turn    int
}

// next returns the next message. It returns io.EOF if the child closed its output
// between two messages, and an error wrapping ErrGarbage for malformed input.
func (d *decoder) next() (Message, error) {
	k, payload, err := readFrame(d.r, d.payload)
	if err != nil {
		return nil, err
	}
	d.payload = payload
	if d.greeted == (k == kindHello) {
		return nil, fmt.Errorf("%w: %q out of order", ErrGarbage, k)
	}
	switch k {
	case kindHello:
		m, err := decodeJSON[Hello](payload)
		if err == nil && m.Version != protocolVersion {
			return nil, fmt.Errorf("%w: protocol version %d instead of %d", ErrGarbage, m.Version, protocolVersion)
		}
		d.greeted = true
		return m, err
	case kindDevices:
		return decodeJSON[Devices](payload)
	case kindState:
		return decodeJSON[State](payload)
	case kindStarted:
		return d.started(payload)
	case kindPCM:
		return d.pcm(payload)
	case kindPlaying:
		return decodeJSON[Playing](payload)
	case kindPlayed:
		return decodeJSON[Played](payload)
	case kindStop:
		return Stopped{}, nil
	default:
		return decodeJSON[Failure](payload)
	}
}

func (d *decoder) started(payload []byte) (Message, error) {
	m, err := decodeJSON[Started](payload)
	if err != nil {
		return nil, err
	}
	if m.Channels < 1 || m.Channels > MaxChannels || m.RateHz != RateHz || d.channels != 0 {
		return nil, fmt.Errorf("%w: a stream of %d channels at %d Hz", ErrGarbage, m.Channels, m.RateHz)
	}
	d.channels = m.Channels
	return m, nil
}

func (d *decoder) pcm(payload []byte) (Message, error) {
	if d.channels == 0 || len(payload) < pcmHeader || (len(payload)-pcmHeader)%(4*d.channels) != 0 {
		return nil, fmt.Errorf("%w: %d bytes of sound", ErrGarbage, len(payload))
	}
	m := PCM{
		AtNS:       int64(binary.LittleEndian.Uint64(payload)),
		LostFrames: binary.LittleEndian.Uint32(payload[8:]),
		Samples:    d.nextBuffer((len(payload) - pcmHeader) / 4),
	}
	for i := range m.Samples {
		m.Samples[i] = math.Float32frombits(binary.LittleEndian.Uint32(payload[pcmHeader+4*i:]))
	}
	return m, nil
}

func (d *decoder) nextBuffer(n int) []float32 {
	d.turn = 1 - d.turn
	buffer := &d.samples[d.turn]
	if cap(*buffer) < n {
		*buffer = make([]float32, n)
	}
	return (*buffer)[:n]
}

func decodeJSON[M any](payload []byte) (M, error) {
	var m M
	if err := json.Unmarshal(payload, &m); err != nil {
		return m, fmt.Errorf("%w: %v", ErrGarbage, err)
	}
	return m, nil
}
