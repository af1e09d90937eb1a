package report

// Names of the audio probes.
const (
	ProbeAudioInput  = "audio.input"
	ProbeAudioOutput = "audio.output"
)

func audioProbes() []Probe {
	return []Probe{
		{Name: ProbeAudioInput, Data: (*AudioInput)(nil)},
		{Name: ProbeAudioOutput, Data: (*AudioOutput)(nil)},
	}
}

// CaptureState is how far the capture from a microphone got.
type CaptureState string

// The states. Only CaptureComplete and CaptureStalled have levels.
const (
	CaptureComplete     CaptureState = "complete"
	CaptureNoServer     CaptureState = "no_server"     // no sound system responds
	CaptureNoDevice     CaptureState = "no_device"     // the sound system has no microphone
	CaptureNoSession    CaptureState = "no_session"    // nobody is logged in at the screen (service, session 0)
	CaptureRefused      CaptureState = "refused"       // the system denied access
	CaptureInUse        CaptureState = "in_use"        // another program holds the device exclusively
	CaptureStalled      CaptureState = "stalled"       // it began, then no more sound arrived
	CaptureDied         CaptureState = "died"          // the capture process ended unexpectedly
	CaptureNotBuilt     CaptureState = "not_built"     // this program was built without audio
	CaptureDeviceAbsent CaptureState = "device_absent" // the requested device does not exist
)

// NoSoundReason is why this program cannot reach a sound system.
type NoSoundReason string

// The reasons for CaptureNoSession and CaptureNoServer; empty if unknown.
const (
	NoSoundUnknown   NoSoundReason = ""
	NoSoundService   NoSoundReason = "service"         // a background service of the system
	NoSoundOtherUser NoSoundReason = "other_user"      // the sound system belongs to another user (sudo)
	NoSoundNoLogin   NoSoundReason = "no_login"        // it belongs to another login session of this user (cron)
	NoSoundNoSystem  NoSoundReason = "no_sound_system" // neither hardware nor a sound server (a server, a container)
)

// AudioInput describes the sound of the microphone while the participant spoke.
//
// Levels are relative to digital full scale; a full-scale sine has an RMS of -3.01
// dBFS. The active level is that of ITU-T P.56, loudness that of ITU-R BS.1770-5 with a
// mono microphone counted as dual mono.
type AudioInput struct {
	// State is how far the capture got; there are levels only if sound arrived.
	State CaptureState `json:"state" show:"never"`
	// NoSoundReason is why there is no sound system or session, if State says so.
	NoSoundReason NoSoundReason `json:"no_sound_reason,omitempty" show:"never"`
	// Device is the system's name of the device at the start of the recording. A name
	// that contains the user's name (such as "Anna's AirPods") is reduced to its kind.
	Device string `json:"device" private:"device" show:"details dashboard"`
	// EndDevice is the device at the end of the recording, named as Device; empty if
	// there was none any more or the system does not report it.
	EndDevice string `json:"end_device,omitempty" private:"device" show:"never"`
	// Backend is the sound system: pulse, alsa, wasapi, coreaudio.
	Backend string `json:"backend" show:"never"`
	// BlockedBrowsers are the browsers whose policies forbid the page of the conference system
	// the microphone, each one of Programs, separated by commas; "" if none do so.
	BlockedBrowsers string `json:"blocked_browsers,omitempty" max:"64" show:"dashboard" absent:"nothing"`
	// RemoteSession is true in a session of a remote desktop, whose devices are not those in
	// front of the participant unless they are forwarded; nil if that is unknown.
	RemoteSession *bool `json:"remote_session,omitempty" show:"dashboard" absent:"nothing"`
	// Microphones is the number of capture devices without monitors.
	Microphones *int `json:"microphones,omitempty" show:"never"`
	// IsDefault is true if the system gives this device to programs that do not select
	// one.
	IsDefault *bool `json:"is_default,omitempty" show:"never"`
	// DefaultDevice is the default device, named as Device; only if IsDefault is false.
	DefaultDevice string `json:"default_device,omitempty" private:"device" show:"never"`
	// DefaultMuted is true if the operating system had muted DefaultDevice at the end.
	DefaultMuted *bool `json:"default_muted,omitempty" show:"never"`
	// DefaultHeard is true if DefaultDevice, recorded at the same time, heard the voice
	// as well; false if it did not.
	DefaultHeard *bool `json:"default_heard,omitempty" show:"never"`
	// CommsDevice is the default communications device of Windows, named as Device; only if it
	// is another one than the default device, which was recorded. Zoom and Teams use it unless
	// another one is selected there, browsers do not.
	CommsDevice string `json:"comms_device,omitempty" private:"device" show:"never"`
	// CommsMuted is as DefaultMuted, for CommsDevice.
	CommsMuted *bool `json:"comms_muted,omitempty" show:"never"`
	// CommsHeard is as DefaultHeard, for CommsDevice.
	CommsHeard *bool `json:"comms_heard,omitempty" show:"never"`
	// IsMonitor is true if the device records what the loudspeaker plays and is no
	// microphone.
	IsMonitor *bool `json:"is_monitor,omitempty" show:"never"`
	// IsBluetooth is true if the device is connected by Bluetooth.
	IsBluetooth *bool `json:"is_bluetooth,omitempty" show:"never"`
	// BluetoothCodec is the codec of a Bluetooth device at present, in lower case (cvsd
	// and msbc belong to the hands-free profile); empty if the system does
	// not report it.
	BluetoothCodec string `json:"bluetooth_codec,omitempty" list:"bluetooth codecs" show:"never"`
	// UsedElsewhere is true if another program was using the microphone at the start.
	// That alone is no fault: most systems permit it.
	UsedElsewhere *bool `json:"used_elsewhere,omitempty" show:"never"`
	// HeldBy is that program if it is in a closed list, otherwise empty.
	HeldBy string `json:"held_by,omitempty" list:"programs" show:"never"`
	// OSMuted is true if the operating system had muted, at the end, the device that
	// was then recorded from.
	OSMuted *bool `json:"os_muted,omitempty" show:"details dashboard"`
	// MutedAfterMS is the length of sound in ms before it was muted; nil if it was
	// muted from the start.
	MutedAfterMS *float64 `json:"muted_after_ms,omitempty" show:"never"`
	// OSUnread is true if the operating system could not be queried, so that it is not
	// known whether the device is muted.
	OSUnread *bool `json:"os_unread,omitempty" show:"never"`
	// OSVolumeDB is the operating system's gain of that device in dB at the end; 0 is full.
	OSVolumeDB *float64 `json:"os_volume_db,omitempty" show:"details dashboard"`
	// VolumeAfterMS is the length of sound in ms before the gain had that value; nil if
	// it had it from the start.
	VolumeAfterMS *float64 `json:"volume_after_ms,omitempty" show:"never"`

	// ActiveLevelDBFS is the level of speech in dBFS (ITU-T P.56); -100 without speech.
	ActiveLevelDBFS *float64 `json:"active_level_dbfs,omitempty" show:"details dashboard analysis"`
	// ActivityPct is the ITU-T P.56 activity factor in percent, 0..100.
	ActivityPct *float64 `json:"activity_pct,omitempty" show:"analysis"`
	// RMSDBFS is the RMS level of the whole recording in dBFS; floor -120.
	RMSDBFS *float64 `json:"rms_dbfs,omitempty" show:"analysis"`
	// PeakDBFS is the largest sample in dBFS; floor -120.
	PeakDBFS *float64 `json:"peak_dbfs,omitempty" show:"details analysis"`
	// TruePeakDBTP is the true peak in dBTP (BS.1770-5 Annex 2).
	TruePeakDBTP *float64 `json:"true_peak_dbtp,omitempty" show:"analysis"`
	// MomentaryMaxLUFS is the largest loudness of any 400 ms in LUFS.
	MomentaryMaxLUFS *float64 `json:"momentary_max_lufs,omitempty" show:"analysis"`
	// ShortTermMaxLUFS is the largest loudness of any 3 s in LUFS.
	ShortTermMaxLUFS *float64 `json:"short_term_max_lufs,omitempty" show:"analysis"`
	// IntegratedLUFS is the loudness of the whole in LUFS, gated at -70 LUFS and -10 LU.
	IntegratedLUFS *float64 `json:"integrated_lufs,omitempty" show:"analysis"`
	// NoiseFloorDBFS is the level between words in dBFS, as defined in
	// docs/accuracy.md.
	NoiseFloorDBFS *float64 `json:"noise_floor_dbfs,omitempty" show:"details dashboard analysis"`
	// NoiseFloorEstimated is true if there were no quiet parts, so that the noise floor
	// was estimated from the quietest moments between syllables and is less certain.
	NoiseFloorEstimated *bool `json:"noise_floor_estimated,omitempty" show:"analysis"`
	// SNRDB is the active level minus the noise floor in dB.
	SNRDB *float64 `json:"snr_db,omitempty" show:"details dashboard analysis"`
	// VoiceBandLevelDBFS is the active level in dBFS behind a high pass of 100 Hz, as
	// in WebRTC's audio processing: what remains of the sound without rumble.
	VoiceBandLevelDBFS *float64 `json:"voice_band_level_dbfs,omitempty" show:"analysis"`
	// VoiceBandNoiseDBFS is the noise floor in dBFS behind that high pass.
	VoiceBandNoiseDBFS *float64 `json:"voice_band_noise_dbfs,omitempty" show:"analysis"`
	// VoiceBandSNRDB is VoiceBandLevelDBFS minus VoiceBandNoiseDBFS in dB.
	VoiceBandSNRDB *float64 `json:"voice_band_snr_db,omitempty" show:"dashboard analysis"`
	// ClippedRuns is the number of runs of samples at full scale.
	ClippedRuns *int `json:"clipped_runs,omitempty" show:"analysis"`
	// ClippedPct is the share of samples in such runs in percent, 0..100.
	ClippedPct *float64 `json:"clipped_pct,omitempty" show:"details dashboard analysis"`
	// ClippedUpstreamRuns is the number of flat runs at the edge of the signal's
	// histogram below full scale: clipping before the signal reached this computer's
	// mixer.
	ClippedUpstreamRuns *int `json:"clipped_upstream_runs,omitempty" show:"analysis"`
	// FlatFactor is how often samples next to the extremes are equal, without unit; 0
	// is never.
	FlatFactor *float64 `json:"flat_factor,omitempty" range:"0..1e6" show:"analysis"`
	// HumHz is the frequency of a mains hum in Hz.
	HumHz *float64 `json:"hum_hz,omitempty" show:"analysis"`
	// HumDBFS is the level of the hum in dBFS.
	HumDBFS *float64 `json:"hum_dbfs,omitempty" show:"analysis"`
	// HumProminenceDB is the level of the hum above the neighbouring frequency bins in
	// dB.
	HumProminenceDB *float64 `json:"hum_prominence_db,omitempty" show:"analysis"`
	// BandwidthHz is the frequency in Hz up to which there is speech, as defined in
	// docs/accuracy.md.
	BandwidthHz *float64 `json:"bandwidth_hz,omitempty" show:"dashboard analysis"`
	// BandRatioDB is the level of 4-7 kHz relative to 0.3-3.4 kHz in dB; nil if noise
	// masks the upper band.
	BandRatioDB *float64 `json:"band_ratio_db,omitempty" show:"analysis"`
	// CapturedMS is the length of the analysed sound in ms, without the warm-up.
	CapturedMS *float64 `json:"captured_ms,omitempty" show:"analysis"`
	// SpeechMS is the length of speech in it in ms.
	SpeechMS *float64 `json:"speech_ms,omitempty" show:"details dashboard analysis"`
	// SyllabicMS is the length in ms of sound that rose from the background like
	// syllables, whether or not it was a voice.
	SyllabicMS *float64 `json:"syllabic_ms,omitempty" show:"analysis"`
	// NativeRateHz is the device's own sampling rate in Hz, not that of the stream.
	NativeRateHz *int `json:"native_rate_hz,omitempty" show:"details analysis"`
	// NativeChannels is the device's own number of channels.
	NativeChannels *int `json:"native_channels,omitempty" show:"analysis"`
	// DCOffset is the mean of the samples, -1..1 of full scale.
	DCOffset *float64 `json:"dc_offset,omitempty" range:"-1..1" show:"analysis"`
	// Dropouts is the number of short gaps in the sound.
	Dropouts *int `json:"dropouts,omitempty" show:"analysis"`
	// LongestGapMS is the longest of these gaps in ms.
	LongestGapMS *float64 `json:"longest_gap_ms,omitempty" show:"analysis"`
	// VoiceChannel is the channel with the voice, counted from 1, whose levels were
	// measured; nil for mono.
	VoiceChannel *int `json:"voice_channel,omitempty" range:"1..64" show:"analysis"`
	// MixLevelDBFS is the level of speech in dBFS, as ActiveLevelDBFS, of the mean of
	// all channels. Browsers send a single channel and are assumed to mix in this way
	// (WebRTC, AudioProcessing::Config::Pipeline::DownmixMethod::kAverageChannels). A
	// voice on one of four channels loses 12 dB; nil for mono.
	MixLevelDBFS *float64 `json:"mix_level_dbfs,omitempty" show:"analysis"`
	// ChannelCorrelation is the correlation of left and right, -1..1; stereo only.
	ChannelCorrelation *float64 `json:"channel_correlation,omitempty" range:"-1..1" show:"analysis"`
	// ChannelBalanceDB is the level of left relative to right in dB; stereo only.
	ChannelBalanceDB *float64 `json:"channel_balance_db,omitempty" show:"analysis"`
	// LeftRMSDBFS is the RMS level of the left channel in dBFS; stereo only.
	LeftRMSDBFS *float64 `json:"left_rms_dbfs,omitempty" show:"analysis"`
	// RightRMSDBFS is the RMS level of the right channel in dBFS; stereo only.
	RightRMSDBFS *float64 `json:"right_rms_dbfs,omitempty" show:"analysis"`
	// DigitalZeroMS is the longest run of samples that are exactly zero, in ms.
	DigitalZeroMS *float64 `json:"digital_zero_ms,omitempty" show:"analysis"`
	// AllZero is true if all samples were zero.
	AllZero *bool `json:"all_zero,omitempty" show:"analysis"`
	// EndSilenceMS is the length of the silence at the end in ms, after there was
	// sound: no sample above -75 dBFS.
	EndSilenceMS *float64 `json:"end_silence_ms,omitempty" show:"analysis"`
	// EndSilenceUnlike is true if that silence differs from the pauses before it: none
	// of them was as silent, or it cut off a loud sound.
	EndSilenceUnlike *bool `json:"end_silence_unlike,omitempty" show:"analysis"`

	// FirstCallbackMS is the time from the start of the stream to the first sound in ms.
	FirstCallbackMS *float64 `json:"first_callback_ms,omitempty" show:"never"`
	// LongestCallbackGapMS is the longest time between two deliveries after the warm-up
	// in ms.
	LongestCallbackGapMS *float64 `json:"longest_callback_gap_ms,omitempty" show:"never"`
	// RateErrorPct is the deviation of the delivered frames from the clock after the
	// warm-up in percent, signed.
	RateErrorPct *float64 `json:"rate_error_pct,omitempty" range:"-1e6..1e6" show:"never"`
	// Rerouted is true if the system moved the stream to another device.
	Rerouted *bool `json:"rerouted,omitempty" show:"never"`
	// EndIsMonitor is IsMonitor for the device at the end.
	EndIsMonitor *bool `json:"end_is_monitor,omitempty" show:"never"`
	// DefaultChanged is true if the system's default microphone was Device at the start
	// and another one at the end.
	DefaultChanged *bool `json:"default_changed,omitempty" show:"never"`
	// Unplugged is true if Device was gone at the end, or its plug had been pulled.
	Unplugged *bool `json:"unplugged,omitempty" show:"never"`
	// Suspended is true if the system had suspended the device at the end.
	Suspended *bool `json:"suspended,omitempty" show:"never"`
	// ServerGone is true if the sound system of the recording had ended.
	ServerGone *bool `json:"server_gone,omitempty" show:"never"`
	// MovedAfterMS is the length of sound in ms before the first of these changes.
	MovedAfterMS *float64 `json:"moved_after_ms,omitempty" show:"never"`

	// OthersListened is the number of other microphones that were recorded at the same
	// time, to find the one with the voice.
	OthersListened *int `json:"others_listened,omitempty" show:"never"`
	// VoiceDevice is another microphone that heard a clear voice while this one heard
	// none, or one at least 20 dB weaker; named as Device.
	VoiceDevice string `json:"voice_device,omitempty" private:"device" show:"never"`
	// VoiceDeviceLevelDBFS is the active level of the voice there in dBFS.
	VoiceDeviceLevelDBFS *float64 `json:"voice_device_level_dbfs,omitempty" show:"never"`
}

// AudioOutput describes what the microphone heard of a test signal from the
// loudspeaker.
type AudioOutput struct {
	// Device is the name the system shows, as AudioInput.Device.
	Device string `json:"device" private:"device" show:"details dashboard"`
	// OSMuted is true if the operating system has muted the loudspeaker.
	OSMuted *bool `json:"os_muted,omitempty" show:"details dashboard"`
	// OSVolumeDB is the operating system's gain of the loudspeaker in dB; 0 is full.
	OSVolumeDB *float64 `json:"os_volume_db,omitempty" show:"never"`
	// ToneHeard is the person's answer whether they heard the test signal. With
	// headphones it is the only evidence.
	ToneHeard *bool `json:"tone_heard,omitempty" show:"details dashboard"`
	// LoopHeard is true when the microphone heard the test signal.
	LoopHeard *bool `json:"loop_heard,omitempty" show:"details dashboard"`
	// LoopDelayMS is the time between playing and hearing in ms.
	LoopDelayMS *float64 `json:"loop_delay_ms,omitempty" show:"details dashboard"`
	// EchoReturnDB is the level heard minus the level played in dB.
	EchoReturnDB *float64 `json:"echo_return_db,omitempty" show:"dashboard"`
}

// BluetoothCodecs are the codecs that a report can contain: those of BlueZ, PulseAudio
// and PipeWire, in lower case.
func BluetoothCodecs() []string {
	return []string{
		"cvsd", "msbc", "lc3_swb", "lc3",
		"sbc", "sbc_xq", "aac", "ldac", "aptx", "aptx_hd", "aptx_ll", "faststream", "opus_05", "opus_g",
	}
}

// Programs are the programs that a report can name. The list is closed because a
// program's file may have a person's name.
func Programs() []string {
	return []string{
		"Zoom", "Teams", "Webex", "Skype", "Discord", "Slack", "Signal", "WhatsApp", "FaceTime", "GoTo", "Jitsi", "OpenTalk", "alfaview",
		"Chrome", "Chromium", "Firefox", "Edge", "Opera", "Brave", "Vivaldi", "Safari",
		"OBS", "Audacity", "Dragon", "Cortana",
	}
}

func (NoSoundReason) values() []string {
	return texts(NoSoundUnknown, NoSoundService, NoSoundOtherUser, NoSoundNoLogin, NoSoundNoSystem)
}

func (CaptureState) values() []string {
	return texts(CaptureComplete, CaptureNoServer, CaptureNoDevice, CaptureNoSession, CaptureRefused,
		CaptureInUse, CaptureStalled, CaptureDied, CaptureNotBuilt, CaptureDeviceAbsent)
}
