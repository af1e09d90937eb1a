package signal

// Analysis contains the measurements of a recording so far.
//
// Levels in dBFS are relative to an RMS (or peak) of 1.0: a full-scale sine has -3.01 dBFS RMS and 0 dBFS peak.
// No level is below -120. A nil pointer means that the quantity could not be measured (too short, no speech, no
// quiet part, mono). It never means "good".
//
// With several channels, the values marked (voice channel) are those of the channel that carries most of the voice.
// A mix of the channels would hide a dead channel and cancel an inverted one. With more than two channels (the inputs
// of an interface or a microphone array), the peaks and the DC offset are those of that channel too, and the loudness
// is that of the mean of all channels.
type Analysis struct {
	// DurationMS is the length of everything written, in milliseconds.
	DurationMS float64 `json:"duration_ms"`
	// VoiceChannel is the index of the channel with the highest active level among those with speech; without any
	// speech, among all; without any level, the channel with the highest RMS.
	VoiceChannel int `json:"voice_channel"`
	// MixActiveDBFS is the active level of the mean of all channels, as WebRTC mixes them; nil for mono.
	MixActiveDBFS *float64 `json:"mix_active_dbfs"`

	// ActiveLevelDBFS is the active speech level of ITU-T P.56 method B (voice channel, DC removed); -100 means no
	// activity. P.56 counts hum and noise as activity too; see SpeechMS.
	ActiveLevelDBFS float64 `json:"active_level_dbfs"`
	// ActivityPct is the activity factor of P.56, 0..100.
	ActivityPct float64 `json:"activity_pct"`
	// RMSDBFS is the RMS level over the whole duration, DC removed (voice channel).
	RMSDBFS float64 `json:"rms_dbfs"`
	// PeakDBFS is the largest sample magnitude of any channel.
	PeakDBFS float64 `json:"peak_dbfs"`
	// TruePeakDBTP is the largest magnitude including inter-sample peaks, of any channel (ITU-R BS.1770-5 Annex 2).
	TruePeakDBTP float64 `json:"true_peak_dbtp"`

	// MomentaryMaxLUFS is the highest loudness of any 400 ms (EBU Tech 3341), mono counted as dual mono; nil for
	// less than 400 ms.
	MomentaryMaxLUFS *float64 `json:"momentary_max_lufs"`
	// ShortTermMaxLUFS is the highest loudness of any 3 s; nil for less than 3 s.
	ShortTermMaxLUFS *float64 `json:"short_term_max_lufs"`
	// IntegratedLUFS is the gated loudness (BS.1770-5); nil if no 400 ms block exceeds the -70 LUFS gate.
	IntegratedLUFS *float64 `json:"integrated_lufs"`

	// SpeechMS is the time classified as speech by this package's detector: voiced syllables that rise above the
	// background, with the adjacent consonants (voice channel).
	SpeechMS float64 `json:"speech_ms"`
	// SyllabicMS is the time in which the level is 15 dB above the background in segments of syllable length, 80 ms
	// to 1 s, whether voiced or not (voice channel). Whispers and voices too rough for the detector have it. Keys,
	// knocks, hum and steady noise have almost none.
	SyllabicMS float64 `json:"syllabic_ms"`
	// NoiseFloorDBFS is the median level of the parts without speech and without digital zero, DC removed (voice
	// channel). With less than 500 ms of such parts it is the level of the lowest frames between syllables, if they
	// share one, as in steady noise; or the median of at least 200 ms of quiet parts if no other frames are much
	// lower; otherwise nil. The error is within 2 dB for steady noise 8 to 17 dB below the voice.
	NoiseFloorDBFS *float64 `json:"noise_floor_dbfs"`
	// NoiseFloorEstimated is true if NoiseFloorDBFS or VoiceBandNoiseDBFS was not measured in quiet parts but estimated
	// from the lowest frames between syllables.
	NoiseFloorEstimated bool `json:"noise_floor_estimated"`
	// SNRDB is ActiveLevelDBFS less NoiseFloorDBFS; nil without a noise floor or with less than 300 ms of speech.
	SNRDB *float64 `json:"snr_db"`

	// VoiceBandLevelDBFS is ActiveLevelDBFS of the voice band: above 100 Hz, by the high pass of WebRTC (second-order
	// Butterworth). It differs by 3 dB or more if rumble is as loud as the voice.
	VoiceBandLevelDBFS float64 `json:"voice_band_level_dbfs"`
	// VoiceBandNoiseDBFS is NoiseFloorDBFS of the voice band.
	VoiceBandNoiseDBFS *float64 `json:"voice_band_noise_dbfs"`
	// VoiceBandSNRDB is VoiceBandLevelDBFS less VoiceBandNoiseDBFS; nil like SNRDB.
	VoiceBandSNRDB *float64 `json:"voice_band_snr_db"`

	// ClippedRuns counts runs at full scale (magnitude >= 0.999) of more than 6 samples at 48 kHz; at other rates
	// of the same duration, but at least 3 samples (voice channel).
	ClippedRuns int `json:"clipped_runs"`
	// ClippedPct is the share of samples in full-scale runs of 3 or more, 0..100.
	ClippedPct float64 `json:"clipped_pct"`
	// ClippedUpstreamRuns counts flat tops below full scale at the extremes of the signal: it was clipped before a
	// later stage reduced the gain.
	ClippedUpstreamRuns int `json:"clipped_upstream_runs"`
	// ClipLevelDBFS is the magnitude of the ClippedUpstreamRuns; nil without any.
	ClipLevelDBFS *float64 `json:"clip_level_dbfs"`
	// FlatFactor in dB is 20 lg of the mean number of consecutive samples that equal the minimum or maximum
	// exactly; 0 means single samples only.
	FlatFactor float64 `json:"flat_factor"`

	// HumHz is the mains frequency of the detected hum, 50 or 60 Hz; nil without hum.
	HumHz *float64 `json:"hum_hz"`
	// HumDBFS is the total power of those of the first four harmonics that stand out.
	HumDBFS *float64 `json:"hum_dbfs"`
	// HumAboveDB is the level of the strongest of them above the neighbouring bins.
	HumAboveDB *float64 `json:"hum_above_db"`

	// BandwidthHz is the highest frequency at which speech rises above the quiet parts and is less than 60 dB below
	// its strongest band (voice channel); nil with less than 500 ms of speech.
	BandwidthHz *float64 `json:"bandwidth_hz"`
	// BandRatioDB is the speech power in 4-7 kHz (from 4.4 kHz, because of the transition band of resamplers)
	// relative to that in 0.3-3.4 kHz, quiet parts subtracted; -100 if the sampling rate allows nothing above 4 kHz;
	// nil with less than 500 ms of speech, or if the quiet parts mask the upper band.
	BandRatioDB *float64 `json:"band_ratio_db"`

	// DCOffset is the mean sample value, -1..1, of the channel with the larger magnitude.
	DCOffset float64 `json:"dc_offset"`

	// Dropouts counts runs of exact zero of 10 ms to 2 s between sounds above -60 dBFS (voice channel). If fewer
	// than a quarter of them interrupt a loud sound, most are attributed to a noise gate: then only those that do
	// are counted, less the expected number of chance hits.
	Dropouts int `json:"dropouts"`
	// LongestGapMS is the length of the longest of those runs.
	LongestGapMS float64 `json:"longest_gap_ms"`
	// DigitalZeroMS is the longest run in which every channel was exactly zero.
	DigitalZeroMS float64 `json:"digital_zero_ms"`
	// AllZero is true if something was written and all of it was exactly zero.
	AllZero bool `json:"all_zero"`

	// EndSilenceMS is the length of the silence at the end: no sample of any channel above -75 dBFS. It is 0 if no
	// sound preceded it.
	EndSilenceMS float64 `json:"end_silence_ms"`
	// EndSilenceUnlike is true if that silence differs from the earlier pauses: none of them was as silent for
	// 40 ms, or it interrupted a sound less than 12 dB below the active level.
	EndSilenceUnlike bool `json:"end_silence_unlike"`

	// ChannelRMSDBFS is the RMS level of each analysed channel, DC removed. A dead channel has a low one.
	ChannelRMSDBFS []float64 `json:"channel_rms_dbfs"`
	// ChannelCorrelation is Pearson's r between two channels, -1 (inverted) to 1 (identical); nil for mono or if
	// a channel is below -90 dBFS.
	ChannelCorrelation *float64 `json:"channel_correlation"`
	// ChannelBalanceDB is the RMS level of channel 0 less that of channel 1; nil for mono or when both are silent.
	ChannelBalanceDB *float64 `json:"channel_balance_db"`

	// NonFinite counts samples that were NaN or infinite and were replaced by 0.
	NonFinite int64 `json:"non_finite"`
}
