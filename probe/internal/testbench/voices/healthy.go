package voices

import "fmt"

// addHealthy adds recordings that must not raise a warning.
func (c *fixtureList) addHealthy() {
	c.addOrdinaryVoices()
	c.addUnusualVoices()
	c.addWaysOfSpeaking()
	c.addRooms()
	c.addDevices()
}

// addOrdinaryVoices adds the range of normal levels.
func (c *fixtureList) addOrdinaryVoices() {
	for _, at := range []float64{-18, -20, -23, -26, -29, -32, -34, -36} {
		c.add(4, Fixture{Kind: "ordinary voice", Strength: dBFS(at)}, spokenAt(at), room(at-38))
	}
	c.add(5, Fixture{Kind: "soft speaker in a quiet room", Strength: "-34 dBFS"}, spokenAt(-34), room(-78))
	c.add(3, Fixture{Kind: "soft speaker in a quiet room", Strength: "-38 dBFS"}, spokenAt(-38), room(-78))
	c.add(3, Fixture{Kind: "soft speaker, fan SNR 20", Strength: "-34 dBFS"}, spokenAt(-34), noise(fan, -54))
	c.add(5, Fixture{Kind: "lively loud speaker", Strength: "-18 dBFS"}, spokenAt(-18), lively(10), limiter(-18, -0.5), room(-60))
}

// addUnusualVoices adds voices that a detector designed for common ones may miss or
// report as a fault.
func (c *fixtureList) addUnusualVoices() {
	german := func(voice string, pitch, wpm int, shrink float64) Speaker {
		return Speaker{Voice: voice, Text: textGerman, Pitch: pitch, WPM: wpm, Shrink: shrink}
	}
	for _, who := range []Speaker{
		german("de+f2", 75, 150, 1.2), german("de+f4", 90, 170, 1.1),
		{Voice: "en-gb+f3", Text: textEnglish, Pitch: 80, WPM: 150, Shrink: 1.25},
		{Voice: "fr+f1", Text: textFrench, Pitch: 85, WPM: 160, Shrink: 1.15},
	} {
		c.add(1, Fixture{Kind: "child-like voice", Strength: fmt.Sprintf("x%g", who.Shrink), Speaker: who}, spokenAt(-26), room(-64))
	}
	for _, who := range []Speaker{
		german("de+croak", 40, 140, 0), german("de+grandpa", 30, 130, 0), german("de+klatt2", 40, 160, 0), german("de+klatt4", 60, 160, 0),
	} {
		c.add(1, Fixture{Kind: "rough or aged voice", Strength: who.Voice, Speaker: who}, spokenAt(-26), room(-64))
	}
	// Their pitch is at 100 and 120 Hz, like hum.
	for _, who := range []Speaker{
		german("de+m1", 10, 170, 0), german("de+m7", 25, 170, 0), german("de+klatt", 20, 170, 0), german("de", 30, 180, 0.9),
	} {
		c.add(1, Fixture{Kind: "deep voice without a pause", Strength: who.Voice, Speaker: who}, cut(5.5), level(-24), room(-62))
	}
	for _, at := range []float64{-6, 0} {
		c.add(3, Fixture{Kind: "breathy voice", Strength: "breath at " + dB(at)}, breath(at), spokenAt(-30), room(-70))
	}
}

// addWaysOfSpeaking adds typical behaviour during a check.
func (c *fixtureList) addWaysOfSpeaking() {
	for _, who := range []Speaker{
		{Voice: "de", Text: textShort, Pitch: 50, WPM: 170},
		{Voice: "de+f2", Text: textShort, Pitch: 60, WPM: 170},
		{Voice: "de+m3", Text: textShort, Pitch: 40, WPM: 150},
		{Voice: "en-us", Text: "Hello, can you hear me?", Pitch: 50, WPM: 165},
	} {
		c.add(1, Fixture{Kind: "one short sentence", Strength: "1.5 s", Speaker: who}, lead(1.5, 3), level(-26), room(-64))
	}
	c.add(5, Fixture{Kind: "long pauses", Strength: "1.5 s"}, pauses(1.2, 1.5), lead(0.8, 0.8), cut(9), level(-26), room(-64))
	c.add(5, Fixture{Kind: "no pause at either end", Strength: "-24 dBFS"}, cut(6), level(-24), room(-62))
	c.add(3, Fixture{Kind: "typing while speaking", Strength: "-35 dBFS"}, spokenAt(-26), room(-64), typing(-35))
	c.add(3, Fixture{Kind: "knock on the table", Strength: "+3 dBFS"}, spokenAt(-22), room(-62), knock(2.6, 3))
	c.add(3, Fixture{Kind: "somebody else far away", Strength: "-24 dB"}, spokenAt(-24), neighbour(-24), room(-62))
}

// addRooms adds room acoustics and room noise.
func (c *fixtureList) addRooms() {
	for _, r := range []struct{ t60, dB float64 }{{0.4, -6}, {0.8, -8}, {1.2, -10}} {
		c.add(3, Fixture{Kind: "reverberant room", Strength: fmt.Sprintf("%g s", r.t60)},
			lead(0.5, 1), cut(7.5), reverb(r.t60, r.dB), level(-26), room(-62))
	}
	for _, snr := range []float64{17, 20, 25} {
		c.add(3, Fixture{Kind: "light fan noise", Strength: "SNR " + dB(snr)}, spokenAt(-26), noise(fan, -26-snr))
	}
	for _, snr := range []float64{17, 20} {
		c.add(2, Fixture{Kind: "light room noise", Strength: "SNR " + dB(snr)}, spokenAt(-26), noise(pink, -26-snr))
		c.add(2, Fixture{Kind: "light hiss", Strength: "SNR " + dB(snr)}, spokenAt(-26), noise(white, -26-snr))
	}
	c.add(4, Fixture{Kind: "hum nobody hears", Strength: "-68 dBFS"}, spokenAt(-26), room(-64), hum(50, 2, -68))
	for _, at := range []float64{-15, -30} {
		c.add(2, Fixture{Kind: "weak echo of the loudspeaker", Strength: dB(at), Loop: &Loop{DelayMS: 120, ReturnDB: at}}, spokenAt(-26), room(-64))
	}
}

// addDevices adds the behaviour of healthy devices and drivers.
func (c *fixtureList) addDevices() {
	c.add(2, Fixture{Kind: "small offset", Strength: "0.005"}, spokenAt(-26), room(-64), offset(0.005))
	for _, ms := range []float64{0.06, 0.3, 0.6} {
		c.add(2, Fixture{Kind: "two microphones apart", Strength: fmt.Sprintf("%g ms", ms)}, spokenAt(-26), apart(ms, 2), room(-64))
	}
	c.add(2, Fixture{Kind: "stereo, both the same", Strength: "-26 dBFS"}, spokenAt(-26), room(-64), pair)
	c.add(4, Fixture{Kind: "16 kHz device", Strength: "at 48 kHz", RateHz: 48000}, spokenAt(-26), room(-64), lowPass(8000))
	c.add(3, Fixture{Kind: "44.1 kHz device", Strength: "at 48 kHz", RateHz: 44100}, spokenAt(-26), room(-64), toRate(48000))
	c.add(3, Fixture{Kind: "Bluetooth, wide band", Strength: "16 kHz", RateHz: 48000, Device: Device{Bluetooth: true, NativeRateHz: 16000}},
		spokenAt(-24), room(-62), lowPass(8000))
	c.add(5, Fixture{Kind: "automatic gain", Strength: "20 dB"}, spokenAt(-30), room(-70), gainControl(-18, 20))
	c.add(3, Fixture{Kind: "automatic gain, fan", Strength: "12 dB"}, spokenAt(-30), noise(fan, -62), gainControl(-18, 12))
	c.add(4, Fixture{Kind: "zeros for 0.3 s first", Strength: "0.3 s"}, spokenAt(-26), room(-64), startsLate(0.3))
	c.add(4, Fixture{Kind: "noise gate to zero", Strength: "at -50 dBFS"}, spokenAt(-24), room(-62), gate(-50, -100))
	c.add(4, Fixture{Kind: "noise gate to zero", Strength: "at -38 dBFS"}, spokenAt(-24), room(-62), gate(-38, -100))
	c.add(4, Fixture{Kind: "noise gate to zero, louder room", Strength: "at -40 dBFS"}, spokenAt(-22), room(-50), gate(-36, -100))
	c.add(3, Fixture{Kind: "noise suppression", Strength: "-25 dB"}, spokenAt(-24), room(-58), gate(-48, -25))
	c.add(3, Fixture{Kind: "dull microphone", Strength: "-10 dB"}, spokenAt(-26), tilt(-10), level(-26), room(-64))
	c.add(2, Fixture{Kind: "bright microphone", Strength: "+8 dB"}, spokenAt(-26), tilt(8), level(-26), room(-64))
	c.add(2, Fixture{Kind: "headset without bass", Strength: "300 Hz"}, spokenAt(-26), highPass(300), level(-26), room(-64))
	c.add(3, Fixture{Kind: "low volume, sensitive microphone", Strength: "-24 dB", Device: Device{Muted: new(false), VolumeDB: new(-24.0)}},
		spokenAt(-30), room(-68))
}
