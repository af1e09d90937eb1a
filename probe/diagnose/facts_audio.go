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

func (f *facts) activeLevel() *float64 {
	if f.in == nil {
		return nil
	}
	return f.in.ActiveLevelDBFS
}
