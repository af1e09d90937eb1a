package report

// Names of the probes of sound.
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

// NoSoundReason says why this program reaches no sound system.
type NoSoundReason string

// The reasons for CaptureNoSession and CaptureNoServer; empty where none is known.
const (
	NoSoundUnknown   NoSoundReason = ""
	NoSoundService   NoSoundReason = "service"         // a background service of the system
	NoSoundOtherUser NoSoundReason = "other_user"      // the sound system belongs to another user (sudo)
	NoSoundNoLogin   NoSoundReason = "no_login"        // it belongs to another session of this user (cron)
	NoSoundNoSystem  NoSoundReason = "no_sound_system" // neither hardware nor a sound server (a server, a container)
)

// AudioInput is what the microphone delivered while the participant spoke.
//
// Levels are relative to digital full scale; a full-scale sine has an RMS of
// -3.01 dBFS. The active level is that of ITU-T P.56; loudness that of ITU-R
// BS.1770-5, a mono microphone counted as dual mono.
type AudioInput struct {
	// State says how far the capture came; levels are there only when sound arrived.
	State CaptureState `json:"state" show:"never"`
	// NoSoundReason says why there is no sound system or no session, where State says that there is none.
	NoSoundReason NoSoundReason `json:"no_sound_reason,omitempty" show:"never"`
	// Device is the name that the system shows of the device recorded from at the
	// start. A name that holds the user's own name (such as "Anna's AirPods") is
	// reduced to its kind before it gets here.
	Device string `json:"device" private:"device" show:"details dashboard"`
	// EndDevice is the device recorded from at the end, named as Device; empty
	// when there was none any more, or the system does not say.
	EndDevice string `json:"end_device,omitempty" private:"device" show:"never"`
	// Backend is the sound system that delivered: pulse, alsa, wasapi, coreaudio.
	Backend string `json:"backend" show:"never"`
	// Microphones is the number of capture devices found, monitors not counted.
	Microphones *int `json:"microphones,omitempty" show:"never"`
	// IsDefault is true when the system hands this device to programs that do not choose.
	IsDefault *bool `json:"is_default,omitempty" show:"never"`
	// DefaultDevice is that other device, named as Device; only where IsDefault is false.
	DefaultDevice string `json:"default_device,omitempty" private:"device" show:"never"`
	// DefaultMuted is true when the operating system had muted DefaultDevice at the end.
	DefaultMuted *bool `json:"default_muted,omitempty" show:"never"`
	// DefaultHeard is true when DefaultDevice, listened to at the same time, heard the
	// voice as well; false when it did not.
	DefaultHeard *bool `json:"default_heard,omitempty" show:"never"`
	// IsMonitor is true when it records what the loudspeaker plays: no microphone.
	IsMonitor *bool `json:"is_monitor,omitempty" show:"never"`
	// IsBluetooth is true when the device is joined by Bluetooth.
	IsBluetooth *bool `json:"is_bluetooth,omitempty" show:"never"`
	// BluetoothCodec is how a Bluetooth device codes the voice now, in lower
	// case (cvsd and msbc are those of the hands-free profile); empty when the
	// system does not say.
	BluetoothCodec string `json:"bluetooth_codec,omitempty" list:"bluetooth codecs" show:"never"`
	// UsedElsewhere is true when another program used the microphone as the
	// capture began. That alone is no fault: most systems let several listen.
	UsedElsewhere *bool `json:"used_elsewhere,omitempty" show:"never"`
	// HeldBy is that program, one of a closed list; empty when it is not in it.
	HeldBy string `json:"held_by,omitempty" list:"programs" show:"never"`
	// OSMuted is true when the operating system had muted, at the end, the device
	// recorded from then.
	OSMuted *bool `json:"os_muted,omitempty" show:"details dashboard"`
	// MutedAfterMS is how much sound, in ms, came before it was muted; not there
	// when it was so from the start.
	MutedAfterMS *float64 `json:"muted_after_ms,omitempty" show:"never"`
	// OSUnread is true when the operating system could not be asked: whether it has
	// muted the device is then not known.
	OSUnread *bool `json:"os_unread,omitempty" show:"never"`
	// OSVolumeDB is the operating system's gain of that device in dB at the end; 0 is full.
	OSVolumeDB *float64 `json:"os_volume_db,omitempty" show:"details dashboard"`
	// VolumeAfterMS is how much sound, in ms, came before the gain took that value;
	// not there when it had it from the start.
	VolumeAfterMS *float64 `json:"volume_after_ms,omitempty" show:"never"`

	// ActiveLevelDBFS is the level while speaking in dBFS (ITU-T P.56); -100 when there is no speech.
	ActiveLevelDBFS *float64 `json:"active_level_dbfs,omitempty" show:"details dashboard analysis"`
	// ActivityPct is the ITU-T P.56 activity factor in percent, 0..100.
	ActivityPct *float64 `json:"activity_pct,omitempty" show:"analysis"`
	// RMSDBFS is the RMS level in dBFS over everything captured; floor -120.
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
	// NoiseFloorDBFS is the level between the words in dBFS; docs/accuracy.md defines it.
	NoiseFloorDBFS *float64 `json:"noise_floor_dbfs,omitempty" show:"details dashboard analysis"`
	// NoiseFloorEstimated is true when there were no quiet parts to measure it in:
	// it was told from the lowest moments between the syllables, and is less certain.
	NoiseFloorEstimated *bool `json:"noise_floor_estimated,omitempty" show:"analysis"`
	// SNRDB is the active level less the noise floor in dB.
	SNRDB *float64 `json:"snr_db,omitempty" show:"details dashboard analysis"`
	// ClippedRuns is the number of runs of samples at full scale.
	ClippedRuns *int `json:"clipped_runs,omitempty" show:"analysis"`
	// ClippedPct is the share of samples in such runs in percent, 0..100.
	ClippedPct *float64 `json:"clipped_pct,omitempty" show:"details dashboard analysis"`
	// ClippedUpstreamRuns counts flat runs at the edge of the signal's own
	// histogram below full scale: clipped before it reached this computer's mixer.
	ClippedUpstreamRuns *int `json:"clipped_upstream_runs,omitempty" show:"analysis"`
	// FlatFactor tells how often samples beside the extremes stay the same; no unit, 0 is none.
	FlatFactor *float64 `json:"flat_factor,omitempty" range:"0..1e6" show:"analysis"`
	// HumHz is the frequency of a mains hum in Hz.
	HumHz *float64 `json:"hum_hz,omitempty" show:"analysis"`
	// HumDBFS is the level of the hum in dBFS.
	HumDBFS *float64 `json:"hum_dbfs,omitempty" show:"analysis"`
	// HumProminenceDB is how far the hum stands out of the neighbouring bins in dB.
	HumProminenceDB *float64 `json:"hum_prominence_db,omitempty" show:"analysis"`
	// BandwidthHz is the frequency in Hz up to which there is speech; docs/accuracy.md defines it.
	BandwidthHz *float64 `json:"bandwidth_hz,omitempty" show:"dashboard analysis"`
	// BandRatioDB is the level of 4-7 kHz against 0.3-3.4 kHz in dB; nil where noise covers the upper band.
	BandRatioDB *float64 `json:"band_ratio_db,omitempty" show:"analysis"`
	// CapturedMS is the length of the analysed sound in ms, the warm-up left out.
	CapturedMS *float64 `json:"captured_ms,omitempty" show:"analysis"`
	// SpeechMS is how much of it, in ms, was judged to be speech.
	SpeechMS *float64 `json:"speech_ms,omitempty" show:"details dashboard analysis"`
	// SyllabicMS is how much of it, in ms, rose out of the background as syllables do, a voice or not.
	SyllabicMS *float64 `json:"syllabic_ms,omitempty" show:"analysis"`
	// NativeRateHz is the device's own rate in Hz, not the one the stream was opened with.
	NativeRateHz *int `json:"native_rate_hz,omitempty" show:"details analysis"`
	// NativeChannels is the device's own number of channels.
	NativeChannels *int `json:"native_channels,omitempty" show:"analysis"`
	// DCOffset is the mean of the samples, -1..1 of full scale.
	DCOffset *float64 `json:"dc_offset,omitempty" range:"-1..1" show:"analysis"`
	// Dropouts is the number of short breaks inside the sound.
	Dropouts *int `json:"dropouts,omitempty" show:"analysis"`
	// LongestGapMS is the longest of these breaks in ms.
	LongestGapMS *float64 `json:"longest_gap_ms,omitempty" show:"analysis"`
	// VoiceChannel is the channel with the voice, counted from 1, on which the
	// levels were measured; not there for mono.
	VoiceChannel *int `json:"voice_channel,omitempty" range:"1..64" show:"analysis"`
	// MixLevelDBFS is the level while speaking in dBFS, as ActiveLevelDBFS, of the
	// mean of all channels. A browser sends a single channel; it is assumed to mix it
	// like this (WebRTC, AudioProcessing::Config::Pipeline::DownmixMethod::kAverageChannels).
	// A voice on one of four channels loses 12 dB; not there for mono.
	MixLevelDBFS *float64 `json:"mix_level_dbfs,omitempty" show:"analysis"`
	// ChannelCorrelation is that of left and right, -1..1; stereo only.
	ChannelCorrelation *float64 `json:"channel_correlation,omitempty" range:"-1..1" show:"analysis"`
	// ChannelBalanceDB is the level of left over right in dB; stereo only.
	ChannelBalanceDB *float64 `json:"channel_balance_db,omitempty" show:"analysis"`
	// LeftRMSDBFS is the RMS level of the left channel in dBFS; stereo only.
	LeftRMSDBFS *float64 `json:"left_rms_dbfs,omitempty" show:"analysis"`
	// RightRMSDBFS is the RMS level of the right channel in dBFS; stereo only.
	RightRMSDBFS *float64 `json:"right_rms_dbfs,omitempty" show:"analysis"`
	// DigitalZeroMS is the longest run of samples that are exactly zero, in ms.
	DigitalZeroMS *float64 `json:"digital_zero_ms,omitempty" show:"analysis"`
	// AllZero is true when not one sample differed from zero.
	AllZero *bool `json:"all_zero,omitempty" show:"analysis"`
	// EndSilenceMS is the length of the silence at the end in ms: no sample
	// above -75 dBFS after there was sound.
	EndSilenceMS *float64 `json:"end_silence_ms,omitempty" show:"analysis"`
	// EndSilenceUnlike is true when that silence is unlike the pauses before it:
	// none of them was as silent, or it broke a loud sound off.
	EndSilenceUnlike *bool `json:"end_silence_unlike,omitempty" show:"analysis"`

	// FirstCallbackMS is the time from the start of the stream to the first sound in ms.
	FirstCallbackMS *float64 `json:"first_callback_ms,omitempty" show:"never"`
	// LongestCallbackGapMS is the longest pause between two deliveries after the warm-up in ms.
	LongestCallbackGapMS *float64 `json:"longest_callback_gap_ms,omitempty" show:"never"`
	// RateErrorPct is frames delivered against the wall clock in percent, signed, after the warm-up.
	RateErrorPct *float64 `json:"rate_error_pct,omitempty" range:"-1e6..1e6" show:"never"`
	// Rerouted is true when the system moved the stream to another device.
	Rerouted *bool `json:"rerouted,omitempty" show:"never"`
	// EndIsMonitor is true when the device recorded from at the end is no microphone, as IsMonitor.
	EndIsMonitor *bool `json:"end_is_monitor,omitempty" show:"never"`
	// DefaultChanged is true when the system's default microphone was Device at the
	// start and another one at the end.
	DefaultChanged *bool `json:"default_changed,omitempty" show:"never"`
	// Unplugged is true when Device had left the system by the end, or its plug the socket.
	Unplugged *bool `json:"unplugged,omitempty" show:"never"`
	// Suspended is true when the system had stopped the device by the end.
	Suspended *bool `json:"suspended,omitempty" show:"never"`
	// ServerGone is true when the sound system that recorded had ended by the end.
	ServerGone *bool `json:"server_gone,omitempty" show:"never"`
	// MovedAfterMS is how much sound, in ms, came before the first of these changes.
	MovedAfterMS *float64 `json:"moved_after_ms,omitempty" show:"never"`

	// OthersListened is the number of other microphones that were listened to
	// at the same time, to find the one with the voice.
	OthersListened *int `json:"others_listened,omitempty" show:"never"`
	// VoiceDevice is the other microphone that heard a clear voice when this one
	// heard none, or one at least 20 dB softer; named as Device.
	VoiceDevice string `json:"voice_device,omitempty" private:"device" show:"never"`
	// VoiceDeviceLevelDBFS is the active level of the voice there in dBFS.
	VoiceDeviceLevelDBFS *float64 `json:"voice_device_level_dbfs,omitempty" show:"never"`
}

// AudioOutput is what the microphone heard of a test signal from the loudspeaker.
type AudioOutput struct {
	// Device is the name the system shows, as AudioInput.Device.
	Device string `json:"device" private:"device" show:"details dashboard"`
	// OSMuted is true when the operating system has muted the loudspeaker.
	OSMuted *bool `json:"os_muted,omitempty" show:"details dashboard"`
	// OSVolumeDB is the operating system's gain of the loudspeaker in dB; 0 is full.
	OSVolumeDB *float64 `json:"os_volume_db,omitempty" show:"never"`
	// ToneHeard is what the person answered to whether they heard the test signal:
	// the only word there is on headphones.
	ToneHeard *bool `json:"tone_heard,omitempty" show:"details dashboard"`
	// LoopHeard is true when the microphone heard the test signal.
	LoopHeard *bool `json:"loop_heard,omitempty" show:"details dashboard"`
	// LoopDelayMS is the time from playing to hearing in ms.
	LoopDelayMS *float64 `json:"loop_delay_ms,omitempty" show:"details dashboard"`
	// EchoReturnDB is the level heard less the level played in dB.
	EchoReturnDB *float64 `json:"echo_return_db,omitempty" show:"dashboard"`
}

// BluetoothCodecs are the codecs a report can name: those of BlueZ, PulseAudio
// and PipeWire, in lower case.
func BluetoothCodecs() []string {
	return []string{
		"cvsd", "msbc", "lc3_swb", "lc3",
		"sbc", "sbc_xq", "aac", "ldac", "aptx", "aptx_hd", "aptx_ll", "faststream", "opus_05", "opus_g",
	}
}

// Programs are the programs a report can name as using the microphone. The list
// is closed, since a program's file may be called after a person.
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
