package diagnose

import "github.com/tonprobe/tonprobe/probe/report"

// heardFor returns the length of the analysed sound, and whether there was an analysis:
// only a completed or stalled capture has levels.
func (f *facts) heardFor() (ms float64, ok bool) {
	if f.in == nil || f.in.State != report.CaptureComplete && f.in.State != report.CaptureStalled {
		return 0, false
	}
	return number(f.in.CapturedMS)
}

func (f *facts) speechMeasured() bool {
	_, captured := f.heardFor()
	_, speech := number(f.speechMS())
	return captured && speech
}

// spoken reports whether there was enough speech to judge a voice. ITU-T P.56 alone
// cannot tell: it counts hum and noise as activity.
func (f *facts) spoken() bool {
	speech, _ := number(f.speechMS())
	return f.speechMeasured() && speech >= f.Audio.SpeechMinMS.Value
}

// speechWeight lowers a confidence that is based on few syllables.
func (f *facts) speechWeight() float64 {
	speech, ok := number(f.speechMS())
	if !ok {
		return 0.6
	}
	return 0.6 + 0.4*min(1, max(0, speech/f.Audio.SpeechEnoughMS.Value))
}

func (f *facts) speechMS() *float64 {
	if f.in == nil {
		return nil
	}
	return f.in.SpeechMS
}

// voiceLevel returns the level of speech: that of the whole band (ITU-T P.56), or that
// of the voice band if rumble, which conference programs remove, hides the voice.
func (f *facts) voiceLevel() (field string, dBFS *float64) {
	whole, measured := number(f.activeLevel())
	if !measured {
		return "active_level_dbfs", nil
	}
	if band, ok := number(f.in.VoiceBandLevelDBFS); ok && whole-band >= f.Audio.RumbleDB.Value {
		return "voice_band_level_dbfs", &band
	}
	return "active_level_dbfs", &whole
}

// rumbles reports whether the noise is mostly rumble, or known only without rumble.
func (p Profile) rumbles(in *report.AudioInput) bool {
	whole, known := number(in.NoiseFloorDBFS)
	band, measured := number(in.VoiceBandNoiseDBFS)
	return measured && (!known || whole-band >= p.Audio.RumbleDB.Value)
}

// snrOf returns the distance of the voice to the noise that conference programs transmit.
func (p Profile) snrOf(in *report.AudioInput) (field string, db *float64) {
	if p.rumbles(in) {
		return "voice_band_snr_db", in.VoiceBandSNRDB
	}
	return "snr_db", in.SNRDB
}

// noiseOf returns the level of that noise.
func (p Profile) noiseOf(in *report.AudioInput) (field string, dBFS *float64) {
	if p.rumbles(in) {
		return "voice_band_noise_dbfs", in.VoiceBandNoiseDBFS
	}
	return "noise_floor_dbfs", in.NoiseFloorDBFS
}

func (f *facts) activeLevel() *float64 {
	if f.in == nil {
		return nil
	}
	return f.in.ActiveLevelDBFS
}
