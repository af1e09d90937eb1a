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

// protocolVersion is raised when parent and child of different builds would
// misunderstand each other; they are the same file, so it differs only while
// an update replaces it.
const protocolVersion = 3

// Op is what the child is asked to do.
type Op string

// The operations of a child.
const (
	OpDevices Op = "devices" // list the devices and end
	OpCapture Op = "capture" // list the devices, then stream one
	OpPlay    Op = "play"    // play the sound sent along, and end
	OpLoop    Op = "loop"    // stream one device and play the sound meanwhile
)

// plays says whether a sound comes along with the request.
func (o Op) plays() bool { return o == OpPlay || o == OpLoop }

// Request is the one line of JSON that the parent writes to the child.
type Request struct {
	Op Op `json:"op"`
	// Device is a device's name or ID; empty for the system's default.
	Device string `json:"device,omitempty"`
	// Output is a loudspeaker's name or ID; empty for the system's default.
	Output string `json:"output,omitempty"`
	// Frames and Channels are the size of the sound that follows the line, as
	// interleaved 32-bit floats in little endian at RateHz, up to MaxPlay.
	Frames   int `json:"frames,omitempty"`
	Channels int `json:"channels,omitempty"`
	// Blind leaves out the watch over the system's state of the devices.
	Blind bool `json:"blind,omitempty"`
	// LimitMS ends the child whatever happens, 1 ms up to MaxLimit.
	LimitMS int64 `json:"limit_ms"`
}

// MaxLimit is the longest a child may be asked to live.
const MaxLimit = 10 * time.Minute

// MaxPlay is the longest sound a child may be asked to play.
const MaxPlay = 10 * time.Second

// Device is a capture device (or a loudspeaker, where that is said) as the sound system shows it. Its name may hold
// a person's name: it is for the screen, not for a report.
type Device struct {
	Name string `json:"name"`
	ID   string `json:"id"`
	// Product is as [osstate.Device.Product].
	Product string `json:"product,omitempty"`
	// IsDefault marks the device programs get when they do not choose.
	IsDefault bool `json:"is_default"`
	// IsDefaultComms marks Windows' default for calls, which may be another one.
	IsDefaultComms bool `json:"is_default_comms,omitempty"`
	// IsMonitor marks the echo of a loudspeaker, which is no microphone.
	IsMonitor      bool `json:"is_monitor"`
	IsBluetooth    bool `json:"is_bluetooth"`
	NativeRateHz   int  `json:"native_rate_hz,omitempty"`
	NativeChannels int  `json:"native_channels,omitempty"`
}

// Message is what the child says: one of Hello, Devices, State, Started, PCM,
// Playing, Played, Stopped and Failure.
type Message interface{ message() kind }

// Hello is the first message of every child.
type Hello struct {
	Version int `json:"version"`
}

// Devices lists what can be captured and, for a child that plays, the
// loudspeakers.
type Devices struct {
	Backend string   `json:"backend"`
	Devices []Device `json:"devices"`
	Outputs []Device `json:"outputs,omitempty"`
}

// State is what the system says of its devices; it is sent again on a change.
type State struct {
	osstate.Snapshot
	// Last is set in the answer to the parent's wish for a last look. Where
	// nothing could be read, it is empty but for that.
	Last bool `json:"last,omitempty"`
	// Unread is set when the system could not be asked.
	Unread bool `json:"unread,omitempty"`
	// ServerGone is set when the sound server is there no more.
	ServerGone bool `json:"server_gone,omitempty"`
}

// Started says that the stream runs.
type Started struct {
	Device   Device `json:"device"`
	RateHz   int    `json:"rate_hz"`
	Channels int    `json:"channels"`
	PeriodMS int    `json:"period_ms"`
	// AtNS is the time of the start on the clock of PCM.AtNS.
	AtNS int64 `json:"at_ns"`
}

// PCM is what one callback delivered.
type PCM struct {
	// AtNS is the child's monotonic clock at the callback, so that a parent
	// that is slow to read does not look like a gap.
	AtNS int64
	// LostFrames were captured but thrown away because the parent did not read.
	LostFrames uint32
	// Samples are interleaved, and gone when the handler has returned.
	Samples []float32
}

// Playing says that the first sample of the sound was handed to the sound system.
type Playing struct {
	Device Device `json:"device"`
	// Muted and VolumeDB are the loudspeaker's, where the system tells.
	Muted    *bool    `json:"muted,omitempty"`
	VolumeDB *float64 `json:"volume_db,omitempty"`
	// AtNS is that time on the clock of PCM.AtNS.
	AtNS int64 `json:"at_ns"`
}

// Played says that the sound is over. The child of an OpPlay then ends.
type Played struct {
	// Muted and VolumeDB are as in Playing, read again.
	Muted    *bool    `json:"muted,omitempty"`
	VolumeDB *float64 `json:"volume_db,omitempty"`
}

// Stopped says that the sound system reported the end of the stream. More sound
// can still come (a reroute), and none of it coming shows as silence on the pipe.
type Stopped struct{}

// Failure says why there is no stream.
type Failure struct {
	State report.CaptureState `json:"state"`
	Text  string              `json:"text"`
	// Reason says why there is no sound system or no session, where that is known.
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

// decoder reads a child's messages and holds them to their order.
type decoder struct {
	r        io.Reader
	greeted  bool
	channels int // of the running stream; 0 before Started

	payload []byte
	// samples are two buffers in turn: one message is handled while the next
	// one is decoded.
	samples [2][]float32
	turn    int
}

// next returns the next message; io.EOF when the child has closed its output
// between two of them, an error wrapping ErrGarbage for anything malformed.
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
