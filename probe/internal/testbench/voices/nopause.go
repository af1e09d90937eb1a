package voices

// addWithoutPauses adds voices without pauses, which leave no quiet part to measure noise, gaps and hum in.
func (c *fixtureList) addWithoutPauses() {
	c.add(6, Fixture{Kind: "not a single pause", Strength: "-24 dBFS"}, unpaused, level(-24), room(-62))
	c.add(3, Fixture{Kind: "not a single pause, light fan noise", Strength: "SNR 20 dB"}, unpaused, level(-24), noise(fan, -44))
	c.add(3, Fixture{Kind: "not a single pause, reverberant room", Strength: "0.4 s"}, unpaused, reverb(0.4, -6), level(-24), room(-62))
	for _, snr := range []float64{12, 8} {
		c.add(4, Fixture{Truth: "audio.noise", Kind: "not a single pause", Strength: "SNR " + dB(snr)}, unpaused, level(-24), noise(fan, -24-snr))
	}
	c.add(4, Fixture{Truth: "audio.dropouts", Kind: "not a single pause", Strength: "3 of 30 ms"}, unpaused, level(-24), room(-62), gaps(3, 30))
	c.add(4, Fixture{Truth: "audio.hum", Kind: "not a single pause", Strength: "-46 dBFS"}, unpaused, level(-24), room(-62), hum(50, 4, -46))
}

// unpaused shortens each pause (22 dB below the active level) to its first 60 ms.
func unpaused(t *take) {
	hop := t.seconds(0.02)
	least := amplitude(t.activeDBFS() - 22)
	for c, samples := range t.channels {
		var out []float64
		paused := 0
		for ; len(samples) >= hop; samples = samples[hop:] {
			if paused++; rms(samples[:hop]) >= least {
				paused = 0
			}
			if paused <= 3 {
				out = append(out, samples[:hop]...)
			}
		}
		t.channels[c] = out
	}
}
