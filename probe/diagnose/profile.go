package diagnose

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/tonprobe/tonprobe/probe/report"
)

// DefaultProfile is the name of the default profile.
const DefaultProfile = "bbb"

// Profile is a named set of limits with their sources, from profiles/*.toml.
type Profile struct {
	Name   string `toml:"name"`
	Source string `toml:"source"`
	// BasedOn is the shipped profile whose limits a town's own profile changes; "" for a
	// shipped one.
	BasedOn string `toml:"based_on"`
	// ServerArea is who is responsible for the conference server.
	ServerArea report.Area `toml:"server_area"`
	Voice      VoiceLimits `toml:"voice"`
	Audio      AudioLimits `toml:"audio"`
	Clock      ClockLimits `toml:"clock"`
	Link       LinkLimits  `toml:"link"`
	NAT        NATLimits   `toml:"nat"`
	Host       HostLimits  `toml:"host"`
	// Ports are those of the conference system, where they cannot be learned from it.
	Ports Ports `toml:"ports"`
}

// Limit contains the values from which something disturbs, and from which participation
// is impossible. A nil value is never reached. A limit that is "passed downwards" is
// passed by values below it, all others by values above it, except that a loss, a jitter
// and a round trip disturb from the limit on.
type Limit struct {
	Warn   *float64 `toml:"warn"`
	Fail   *float64 `toml:"fail"`
	Source string   `toml:"source"`
}

// Bound is a single threshold of a rule.
type Bound struct {
	Value  float64 `toml:"value"`
	Source string  `toml:"source"`
}

// VoiceLimits are the limits of the voice-like stream, all of them maxima.
type VoiceLimits struct {
	UpLossPct   Limit `toml:"up_loss_pct"`
	DownLossPct Limit `toml:"down_loss_pct"`
	// LossCertainPct is the minimum of the 95 % interval of a loss that is reported.
	LossCertainPct Bound `toml:"loss_certain_pct"`
	JitterMS       Limit `toml:"jitter_ms"`     // RFC 3550, the worse direction; from the limit on
	LatePct        Limit `toml:"late_pct"`      // share that misses a 60 ms playout buffer
	RTTMS          Limit `toml:"rtt_ms"`        // median round trip; from the limit on
	ReorderedPct   Limit `toml:"reordered_pct"` // RFC 4737, both directions
}

// AudioLimits are the limits of the microphone and loudspeaker rules, which are the
// same for all conference systems.
type AudioLimits struct {
	SpeechMinMS      Bound `toml:"speech_min_ms"`      // below it, nobody spoke
	SyllabicMinMS    Bound `toml:"syllabic_min_ms"`    // from here on there may have been a voice, recognised or not
	SpeechEnoughMS   Bound `toml:"speech_enough_ms"`   // from here on more speech does not increase the confidence
	CapturedMinMS    Bound `toml:"captured_min_ms"`    // below it, silence is not proven
	LiveSpeechMS     Bound `toml:"live_speech_ms"`     // speech needed before the sound is judged during the recording
	LiveWaitMS       Bound `toml:"live_wait_ms"`       // or sound without speech
	LiveShareMS      Bound `toml:"live_share_ms"`      // minimum length for shares of the sound
	LiveClippedLooks Bound `toml:"live_clipped_looks"` // number of evaluations with new clipping that exclude a single knock
	LiveNoSpeechMS   Bound `toml:"live_no_speech_ms"`  // sound without speech before that is reported

	VolumeDB         Limit `toml:"volume_db"` // passed downwards
	CallbackGapMS    Limit `toml:"callback_gap_ms"`
	FirstCallbackMS  Limit `toml:"first_callback_ms"`
	DigitalZeroMS    Limit `toml:"digital_zero_ms"`
	EndSilenceMS     Limit `toml:"end_silence_ms"`    // unlike the pauses before it
	PauseSilenceMS   Limit `toml:"pause_silence_ms"`  // at the end, like the pauses before it
	DeadInputDBFS    Limit `toml:"dead_input_dbfs"`   // RMS; passed downwards
	HandsfreeRateHz  Bound `toml:"handsfree_rate_hz"` // Bluetooth at or under it is hands-free
	NarrowRateHz     Bound `toml:"narrow_rate_hz"`    // a device at or under it has telephone band
	BandRatioDB      Limit `toml:"band_ratio_db"`     // passed downwards
	ClippedRuns      Bound `toml:"clipped_runs"`
	ClippedPct       Limit `toml:"clipped_pct"`
	UpstreamRuns     Limit `toml:"clipped_upstream_runs"`
	LoudDBFS         Limit `toml:"loud_dbfs"`
	TruePeakDBTP     Bound `toml:"true_peak_dbtp"`
	QuietDBFS        Limit `toml:"quiet_dbfs"` // passed downwards
	HumProminenceDB  Limit `toml:"hum_prominence_db"`
	HumDBFS          Bound `toml:"hum_dbfs"`
	HumBelowNoiseDB  Bound `toml:"hum_below_noise_db"`
	HumBelowVoiceDB  Bound `toml:"hum_below_voice_db"`
	SNRDB            Limit `toml:"snr_db"`    // passed downwards
	RumbleDB         Bound `toml:"rumble_db"` // from here on, what the high pass removes is most of the sound
	DeadChannelDBFS  Limit `toml:"dead_channel_dbfs"`
	LiveChannelDBFS  Bound `toml:"live_channel_dbfs"`
	Correlation      Limit `toml:"correlation"` // passed downwards
	MixCancelledDB   Bound `toml:"mix_cancelled_db"`
	DCOffset         Limit `toml:"dc_offset"` // magnitude
	DropoutsPer10S   Limit `toml:"dropouts_per_10s"`
	DropoutGapMS     Limit `toml:"dropout_gap_ms"`
	RateErrorPct     Limit `toml:"rate_error_pct"` // magnitude
	EchoReturnDB     Limit `toml:"echo_return_db"`
	OutputVolumeDB   Limit `toml:"output_volume_db"` // passed downwards
	MicrophoneOKDBFS Bound `toml:"microphone_ok_dbfs"`
}

// ClockLimits are the limits of the computer's clock.
type ClockLimits struct {
	OffsetMS Limit `toml:"offset_ms"` // magnitude, less the uncertainty
	// UncertaintyMS is used for an offset without an uncertainty.
	UncertaintyMS Bound `toml:"uncertainty_ms"`
}

// LinkLimits are the limits of the link and of the line under load.
type LinkLimits struct {
	WiFiSignalDBM Limit `toml:"wifi_signal_dbm"` // passed downwards
	DelaySpreadMS Limit `toml:"delay_spread_ms"` // p95 less the shortest round trip
	DNSMS         Limit `toml:"dns_ms"`
	OutageMS      Bound `toml:"outage_ms"` // a gap of this length is an interruption of the line, not a burst of loss
	BloatMS       Limit `toml:"bloat_ms"`  // rise of the round trip under load
	UpKbps        Limit `toml:"up_kbps"`   // passed downwards
	DownKbps      Limit `toml:"down_kbps"` // passed downwards
	// IngestUpKbps is the rate up that a public stream needs, including a reserve.
	IngestUpKbps Limit `toml:"ingest_up_kbps"` // passed downwards
}

// NATLimits are the limits of what routers do to packets.
type NATLimits struct {
	BindingLifetimeS Limit `toml:"binding_lifetime_s"` // passed downwards
	ReflectorAwakeS  Bound `toml:"reflector_awake_s"`  // maximum age of its answer to the collector
	ReflectorHeardS  Bound `toml:"reflector_heard_s"`  // for how long requests of others prove that its firewall is open
	ReflectorOpenedS Bound `toml:"reflector_opened_s"` // for how long they prove that it was ever opened
}

// HostLimits are the limits of the machine's own records.
type HostLimits struct {
	CPUPct            Limit `toml:"cpu_pct"`
	CPUPressurePct    Limit `toml:"cpu_pressure_pct"`
	MemoryFreeMB      Limit `toml:"memory_free_mb"` // passed downwards
	MemoryPressurePct Limit `toml:"memory_pressure_pct"`
	DiskFreeMB        Limit `toml:"disk_free_mb"` // passed downwards
	// RecentS is the maximum age of an event that is reported.
	RecentS Bound `toml:"recent_s"`
}

// UnknownProfileError means that there is no profile with this name.
type UnknownProfileError struct {
	Name  string
	Known []string
}

// Error lists the known profiles.
func (e *UnknownProfileError) Error() string {
	return fmt.Sprintf("unknown profile %q: choose one of %s", e.Name, strings.Join(e.Known, ", "))
}

//go:embed profiles/*.toml
var profileFiles embed.FS

// commonFile contains the limits that all profiles share; a profile may override them.
const commonFile = "common"

// ProfileNames returns the names of the profiles, sorted.
func ProfileNames() []string {
	entries, err := profileFiles.ReadDir("profiles")
	if err != nil {
		panic(err) // the directory is embedded
	}
	var names []string
	for _, e := range entries {
		if name := strings.TrimSuffix(e.Name(), path.Ext(e.Name())); name != commonFile {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// LoadProfile returns the named profile; "" means DefaultProfile. The error for an
// unknown name is an *UnknownProfileError.
func LoadProfile(name string) (Profile, error) {
	if name == "" {
		name = DefaultProfile
	}
	if !slices.Contains(ProfileNames(), name) {
		return Profile{}, &UnknownProfileError{Name: name, Known: ProfileNames()}
	}
	common, err := profileFiles.ReadFile("profiles/" + commonFile + ".toml")
	if err != nil {
		return Profile{}, fmt.Errorf("read the common limits: %w", err)
	}
	own, err := profileFiles.ReadFile("profiles/" + name + ".toml")
	if err != nil {
		return Profile{}, fmt.Errorf("read profile %s: %w", name, err)
	}
	p, err := decodeProfile(common, own)
	if err != nil {
		return Profile{}, fmt.Errorf("profile %s: %w", name, err)
	}
	return p, nil
}

// decodeProfile merges the files; later ones take precedence. An unknown key is an
// error, and so is a limit that no file sets or that has no source.
func decodeProfile(files ...[]byte) (Profile, error) {
	var p Profile
	for _, f := range files {
		d := toml.NewDecoder(bytes.NewReader(f)).DisallowUnknownFields()
		if err := d.Decode(&p); err != nil {
			if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok {
				return Profile{}, fmt.Errorf("unknown key:\n%s", strict.String())
			}
			return Profile{}, fmt.Errorf("parse: %w", err)
		}
	}
	if p.Name == "" || p.Source == "" || p.ServerArea == "" {
		return Profile{}, errors.New("name, source and server_area must be set")
	}
	if problem := p.Ports.problem(); problem != "" {
		return Profile{}, fmt.Errorf("ports: %s", problem)
	}
	limits := limitsOf(p)
	for _, key := range slices.Sorted(maps.Keys(limits)) {
		if err := checkLimit(limits[key]); err != nil {
			return Profile{}, fmt.Errorf("%s: %w", key, err)
		}
	}
	return p, nil
}

func checkLimit(v any) error {
	switch v := v.(type) {
	case Limit:
		if v.Warn == nil && v.Fail == nil {
			return errors.New("neither warn nor fail is set")
		}
		if v.Source == "" {
			return errors.New("has no source")
		}
	case Bound:
		if v.Source == "" {
			return errors.New("is not set or has no source")
		}
	}
	return nil
}

// limitsOf returns all limits and bounds of p by the keys of their TOML tables, such as
// "audio.quiet_dbfs".
func limitsOf(p Profile) map[string]any {
	all := map[string]any{}
	root := reflect.ValueOf(p)
	for i := range root.NumField() {
		group := root.Field(i)
		if group.Kind() != reflect.Struct {
			continue
		}
		prefix := root.Type().Field(i).Tag.Get("toml")
		for j := range group.NumField() {
			switch v := group.Field(j).Interface().(type) {
			case Limit, Bound:
				all[prefix+"."+group.Type().Field(j).Tag.Get("toml")] = v
			}
		}
	}
	return all
}

// above returns how bad v is if larger is worse, and the limit that it exceeds.
func (l Limit) above(v float64) (s report.Severity, end float64, passed bool) {
	switch {
	case l.Fail != nil && v > *l.Fail:
		return report.SeverityFail, *l.Fail, true
	case l.Warn != nil && v > *l.Warn:
		return report.SeverityWarn, *l.Warn, true
	}
	return "", 0, false
}

// from is above for values that disturb from the limit on.
func (l Limit) from(v float64) (s report.Severity, end float64, reached bool) {
	switch {
	case l.Fail != nil && v >= *l.Fail:
		return report.SeverityFail, *l.Fail, true
	case l.Warn != nil && v >= *l.Warn:
		return report.SeverityWarn, *l.Warn, true
	}
	return "", 0, false
}

// below is above for values of which smaller is worse.
func (l Limit) below(v float64) (s report.Severity, end float64, passed bool) {
	switch {
	case l.Fail != nil && v < *l.Fail:
		return report.SeverityFail, *l.Fail, true
	case l.Warn != nil && v < *l.Warn:
		return report.SeverityWarn, *l.Warn, true
	}
	return "", 0, false
}
