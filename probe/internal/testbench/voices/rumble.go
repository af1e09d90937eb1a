package voices

// rumbling returns the fixtures with rumble.
func rumbling() []Fixture {
	c := newFixtureList()
	c.addRumble()
	return c.fixtures
}

// addRumble adds sound below 100 Hz that a table conducts to the microphone. Conference
// programs remove most of it, so that it neither disturbs nor may hide another fault.
// Of the ventilation, which has its power just below 100 Hz, a third of the level remains.
func (c *fixtureList) addRumble() {
	for _, kind := range []struct {
		name          string
		make          colour
		healthy, soft []float64 // SNR, of an ordinary and of a quiet voice
	}{
		{"traffic", traffic, []float64{14, 10, 5, 0}, []float64{5, -5, -15}},
		{"ventilation", ventilation, []float64{14, 10}, []float64{5, -5}},
	} {
		for _, snr := range kind.healthy {
			c.add(3, Fixture{Kind: "rumble of " + kind.name, Strength: "SNR " + dB(snr)}, spokenAt(-26), room(-64), noise(kind.make, -26-snr))
		}
		for _, snr := range kind.soft {
			c.add(2, Fixture{Truth: "audio.too_quiet", Kind: "rumble of " + kind.name, Strength: "SNR " + dB(snr)},
				spokenAt(-45), room(-75), noise(kind.make, -45-snr))
		}
		for _, snr := range []float64{12, 8} {
			c.add(2, Fixture{Truth: "audio.noise", Kind: "fan noise, rumble of " + kind.name, Strength: "SNR " + dB(snr)},
				spokenAt(-26), noise(fan, -26-snr), noise(kind.make, -31))
		}
		for _, at := range []float64{-46, -40} {
			c.add(2, Fixture{Truth: "audio.hum", Kind: "buzz of 50 Hz, rumble of " + kind.name, Strength: dBFS(at)},
				spokenAt(-24), room(-64), hum(50, 6, at), noise(kind.make, -40))
		}
	}
	for _, peak := range []float64{-30, -20, -14} {
		c.add(3, Fixture{Kind: "footsteps", Strength: dBFS(peak)}, spokenAt(-26), room(-64), footsteps(peak))
	}
}
