package report

// CaptureState says how far the capture of a microphone came.
type CaptureState string

// The states of a capture. Only CaptureComplete and CaptureStalled carry levels.
const (
	CaptureComplete     CaptureState = "complete"
	CaptureNoServer     CaptureState = "no_server"     // no sound system answers
	CaptureNoDevice     CaptureState = "no_device"     // the sound system has no microphone
	CaptureNoSession    CaptureState = "no_session"    // no user is logged in at the screen (service, session 0)
	CaptureRefused      CaptureState = "refused"       // the system denied access
	CaptureInUse        CaptureState = "in_use"        // another program holds the device exclusively
	CaptureStalled      CaptureState = "stalled"       // it began, then no more sound came
	CaptureDied         CaptureState = "died"          // the capture process ended unexpectedly
	CaptureNotBuilt     CaptureState = "not_built"     // this program was built without audio
	CaptureDeviceAbsent CaptureState = "device_absent" // the device asked for by name is not there
)

// AudioInput is what the microphone delivered while the participant spoke.
//
// Levels are relative to digital full scale; a full-scale sine has an RMS of
// -3.01 dBFS. The active level is that of ITU-T P.56; loudness that of ITU-R
// BS.1770-5, a mono microphone counted as dual mono.
type AudioInput struct {
	State CaptureState `json:"state"`
	// Device is the name the system shows. A name that holds the user's own
	// name (such as "Anna's AirPods") is reduced to its kind before it gets here.
	Device      string `json:"device"`
	Backend     string `json:"backend"`
	Microphones *int   `json:"microphones,omitempty"` // capture devices found, monitors not counted
	// NativeRateHz is the device's own rate, not the one the stream was opened with.
	NativeRateHz   *int     `json:"native_rate_hz,omitempty"`
	NativeChannels *int     `json:"native_channels,omitempty"`
	IsDefault      *bool    `json:"is_default,omitempty"`
	IsMonitor      *bool    `json:"is_monitor,omitempty"` // records what the loudspeaker plays, not a microphone
	IsBluetooth    *bool    `json:"is_bluetooth,omitempty"`
	OSMuted        *bool    `json:"os_muted,omitempty"`
	OSVolumeDB     *float64 `json:"os_volume_db,omitempty"` // dB below full; 0 is full
	// CapturedMS is the length of the analysed sound, the warm-up left out.
	CapturedMS *float64 `json:"captured_ms,omitempty"`
	// SpeechMS is how much of it was judged to be speech.
	SpeechMS *float64 `json:"speech_ms,omitempty"`

	ActiveLevelDBFS  *float64 `json:"active_level_dbfs,omitempty"`  // ITU-T P.56; -100 when there is no speech
	ActivityPct      *float64 `json:"activity_pct,omitempty"`       // ITU-T P.56 activity factor, 0..100
	RMSDBFS          *float64 `json:"rms_dbfs,omitempty"`           // over everything captured; floor -120
	PeakDBFS         *float64 `json:"peak_dbfs,omitempty"`          // largest sample; floor -120
	TruePeakDBTP     *float64 `json:"true_peak_dbtp,omitempty"`     // BS.1770-5 Annex 2
	MomentaryMaxLUFS *float64 `json:"momentary_max_lufs,omitempty"` // largest 400 ms loudness
	ShortTermMaxLUFS *float64 `json:"short_term_max_lufs,omitempty"`
	IntegratedLUFS   *float64 `json:"integrated_lufs,omitempty"` // gated at -70 LUFS and -10 LU
	NoiseFloorDBFS   *float64 `json:"noise_floor_dbfs,omitempty"`
	SNRDB            *float64 `json:"snr_db,omitempty"` // active level less noise floor
	ClippedRuns      *int     `json:"clipped_runs,omitempty"`
	ClippedPct       *float64 `json:"clipped_pct,omitempty"`
	// ClippedUpstreamRuns counts flat runs at the edge of the signal's own
	// histogram below full scale: clipped before it reached this computer's mixer.
	ClippedUpstreamRuns *int     `json:"clipped_upstream_runs,omitempty"`
	FlatFactor          *float64 `json:"flat_factor,omitempty"`
	HumHz               *float64 `json:"hum_hz,omitempty"`
	HumDBFS             *float64 `json:"hum_dbfs,omitempty"`
	HumProminenceDB     *float64 `json:"hum_prominence_db,omitempty"` // over the neighbouring bins
	BandwidthHz         *float64 `json:"bandwidth_hz,omitempty"`
	BandRatioDB         *float64 `json:"band_ratio_db,omitempty"` // 4-7 kHz against 0.3-3.4 kHz
	DCOffset            *float64 `json:"dc_offset,omitempty"`     // -1..1 of full scale
	Dropouts            *int     `json:"dropouts,omitempty"`
	LongestGapMS        *float64 `json:"longest_gap_ms,omitempty"`
	ChannelCorrelation  *float64 `json:"channel_correlation,omitempty"` // -1..1, stereo only
	ChannelBalanceDB    *float64 `json:"channel_balance_db,omitempty"`  // left over right
	LeftRMSDBFS         *float64 `json:"left_rms_dbfs,omitempty"`
	RightRMSDBFS        *float64 `json:"right_rms_dbfs,omitempty"`
	// DigitalZeroMS is the longest run of samples that are exactly zero.
	DigitalZeroMS *float64 `json:"digital_zero_ms,omitempty"`
	// AllZero is true when not one sample differed from zero.
	AllZero *bool `json:"all_zero,omitempty"`

	// FirstCallbackMS is the time from the start of the stream to the first sound.
	FirstCallbackMS *float64 `json:"first_callback_ms,omitempty"`
	// LongestCallbackGapMS is the longest pause between two deliveries after the warm-up.
	LongestCallbackGapMS *float64 `json:"longest_callback_gap_ms,omitempty"`
	// RateErrorPct is frames delivered against the wall clock, signed, after the warm-up.
	RateErrorPct *float64 `json:"rate_error_pct,omitempty"`
	Rerouted     *bool    `json:"rerouted,omitempty"` // the system moved the stream to another device
}

// AudioOutput is what the microphone heard of a test signal from the loudspeaker.
type AudioOutput struct {
	Device       string   `json:"device"`
	OSMuted      *bool    `json:"os_muted,omitempty"`
	OSVolumeDB   *float64 `json:"os_volume_db,omitempty"`
	LoopHeard    *bool    `json:"loop_heard,omitempty"`
	LoopDelayMS  *float64 `json:"loop_delay_ms,omitempty"`
	EchoReturnDB *float64 `json:"echo_return_db,omitempty"` // level heard less level played
}
