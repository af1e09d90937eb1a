package voices

import "fmt"

// addDeviceFaults adds faults that the operating system reports, and silence.
func (c *fixtureList) addDeviceFaults() {
	muted := Device{Muted: new(true), VolumeDB: new(0.0)}
	c.add(4, Fixture{Truth: "audio.os_muted", Kind: "muted", Strength: "zeros", Device: muted}, spokenAt(-26), silent(0))
	c.add(4, Fixture{Truth: "audio.os_muted", Kind: "muted", Strength: "noise of -92 dBFS", Device: muted},
		spokenAt(-26), silent(0), noise(white, -92))
	for _, volume := range []float64{-24, -34, -45, -60} {
		c.add(4, Fixture{Truth: "audio.os_volume_low", Kind: "volume turned down", Strength: dB(volume), Device: Device{Muted: new(false), VolumeDB: new(volume)}},
			spokenAt(-24), room(-64), gain(volume))
	}
	open := Device{Muted: new(false), VolumeDB: new(0.0)}
	c.add(3, Fixture{Truth: "audio.digital_silence", Kind: "exact zeros", Strength: "all", Device: open}, spokenAt(-26), silent(0))
	c.add(2, Fixture{Truth: "audio.digital_silence", Kind: "exact zeros", Strength: "all, stereo"}, spokenAt(-26), pair, silent(0))
	c.addNobody(3, Fixture{Truth: "audio.digital_silence", Kind: "exact zeros", Strength: "after 0.4 s"}, room(-64), silent(0.4))
	for _, at := range []float64{-3, -6, -8} {
		c.add(3, Fixture{Truth: "audio.echo", Kind: "echo of the loudspeaker", Strength: dB(at), Loop: &Loop{DelayMS: 180, ReturnDB: at}},
			spokenAt(-26), room(-64))
	}
}

// addSilentLoudspeakers adds test sounds that do not return to a microphone that receives the voice.
func (c *fixtureList) addSilentLoudspeakers() {
	c.add(3, Fixture{Truth: "audio.speaker_silent", Kind: "nothing from the loudspeaker", Strength: "-120 dB", Loop: &Loop{DelayMS: 120, ReturnDB: -120}},
		spokenAt(-26), room(-64))
}

// addLevelFaults adds voices that are too quiet or too loud.
func (c *fixtureList) addLevelFaults() {
	for _, at := range []float64{-42, -45, -48, -52, -56} {
		c.add(4, Fixture{Truth: "audio.too_quiet", Kind: "too quiet", Strength: dBFS(at)}, spokenAt(at), room(at-30))
	}
	for _, at := range []float64{-15, -14, -13, -12} {
		c.add(3, Fixture{Truth: "audio.too_loud", Kind: "too loud, peaks held", Strength: dBFS(at)},
			spokenAt(-20), limiter(at, -0.5), room(-60))
	}
	for _, share := range []float64{0.2, 0.4, 1, 2, 5, 10} {
		c.add(4, Fixture{Truth: "audio.clipped", Kind: "clipped at full scale", Strength: percent(share)}, spokenAt(-26), room(-66), clip(share, 0))
	}
	for _, u := range []struct{ share, then float64 }{{0.3, -6}, {0.6, -3}, {1, -12}, {3, -8}, {10, -14}} {
		f := Fixture{Truth: "audio.clipped_upstream", Kind: "clipped, then turned down", Strength: percent(u.share) + ", " + dB(u.then)}
		c.add(3, f, spokenAt(-26), room(-66), clip(u.share, u.then))
		f.Kind += ", converter noise"
		c.add(1, f, spokenAt(-26), room(-66), clip(u.share, u.then), noise(white, -84))
	}
}

// addBackgroundFaults adds sounds beside the voice, or without one.
func (c *fixtureList) addBackgroundFaults() {
	for _, at := range []float64{-56, -52, -46, -40, -34} {
		strength := dBFS(at)
		c.add(2, Fixture{Truth: "audio.hum", Kind: "hum of 50 Hz", Strength: strength}, spokenAt(-24), room(-64), hum(50, 1, at))
		c.add(2, Fixture{Truth: "audio.hum", Kind: "buzz of 50 Hz", Strength: strength}, spokenAt(-24), room(-64), hum(50, 6, at))
		c.add(1, Fixture{Truth: "audio.hum", Kind: "hum of 60 Hz", Strength: strength}, spokenAt(-24), room(-64), hum(60, 3, at))
		c.add(2, Fixture{Truth: "audio.hum", Kind: "hum of 100 Hz", Strength: strength}, spokenAt(-24), room(-64), hum(100, 2, at))
	}
	for _, kind := range []struct {
		name string
		make colour
	}{{"white noise", white}, {"pink noise", pink}, {"fan noise", fan}} {
		for _, snr := range []float64{14, 12, 10, 7, 5} {
			c.add(2, Fixture{Truth: "audio.noise", Kind: kind.name, Strength: "SNR " + dB(snr)}, spokenAt(-26), noise(kind.make, -26-snr))
		}
	}
	for _, at := range []float64{-45, -58, -70} {
		c.addNobody(2, Fixture{Truth: "audio.no_speech", Kind: "a room, nobody speaks", Strength: dBFS(at)}, noise(pink, at))
		c.addNobody(2, Fixture{Truth: "audio.no_speech", Kind: "a fan, nobody speaks", Strength: dBFS(at)}, noise(fan, at))
		c.addNobody(1, Fixture{Truth: "audio.no_speech", Kind: "hiss, nobody speaks", Strength: dBFS(at)}, noise(white, at))
	}
	c.addNobody(3, Fixture{Truth: "audio.no_speech", Kind: "typing, nobody speaks", Strength: "-25 dBFS"}, room(-62), typing(-25))
	c.addNobody(2, Fixture{Truth: "audio.no_speech", Kind: "a knock, nobody speaks", Strength: "-10 dBFS"}, room(-62), knock(3, -10))
	c.addNobody(3, Fixture{Truth: "audio.no_speech", Kind: "a dead input", Strength: "-88 dBFS"}, noise(white, -88))
}

// addPathFaults adds faults between microphone and program.
func (c *fixtureList) addPathFaults() {
	c.add(7, Fixture{Truth: "audio.narrowband", Kind: "path of 8 kHz", Strength: "at 48 kHz", RateHz: 48000}, spokenAt(-26), room(-66), telephone, noise(white, -80))
	c.add(4, Fixture{Truth: "audio.narrowband", Kind: "path of 8 kHz, µ-law", Strength: "at 48 kHz", RateHz: 48000},
		spokenAt(-22), room(-62), toRate(8000), muLaw, toRate(48000))
	c.add(4, Fixture{Truth: "audio.narrowband", Kind: "device of 8 kHz", Strength: "at 8 kHz", RateHz: 8000}, spokenAt(-26), room(-66))
	c.add(3, Fixture{Truth: "audio.narrowband", Kind: "path of 8 kHz", Strength: "at 16 kHz", RateHz: 16000}, spokenAt(-26), room(-66), telephone)
	c.add(6, Fixture{
		Truth: "audio.bluetooth_handsfree", Kind: "Bluetooth, telephone band", Strength: "8 kHz", RateHz: 48000,
		Device: Device{Bluetooth: true, NativeRateHz: 8000},
	}, spokenAt(-24), room(-62), telephone)

	for channel := range 2 {
		for _, at := range []float64{-120, -95, -86} {
			c.add(2, Fixture{Truth: "audio.dead_channel", Kind: fmt.Sprintf("channel %d dead", channel), Strength: dBFS(at)},
				spokenAt(-26), pair, room(-64), dead(channel, at))
		}
	}
	for _, softer := range []float64{0, 3, 6} {
		c.add(3, Fixture{Truth: "audio.inverted_channel", Kind: "second channel inverted", Strength: dB(-softer)},
			spokenAt(-26), pair, inverted(softer), room(-64))
	}
	for _, dc := range []float64{0.025, -0.035, 0.06, 0.15} {
		c.add(3, Fixture{Truth: "audio.dc_offset", Kind: "offset", Strength: fmt.Sprintf("%g", dc)}, spokenAt(-26), room(-64), offset(dc))
	}
	for _, g := range []struct {
		count int
		ms    float64
	}{{1, 15}, {1, 60}, {2, 25}, {3, 40}, {5, 20}, {8, 100}, {15, 12}} {
		c.add(3, Fixture{Truth: "audio.dropouts", Kind: "gaps in the voice", Strength: fmt.Sprintf("%d of %g ms", g.count, g.ms)},
			spokenAt(-26), room(-64), gaps(g.count, g.ms))
	}
	c.add(3, Fixture{Truth: "audio.dropouts", Kind: "gaps, noise gate", Strength: "10 of 30 ms"}, spokenAt(-24), room(-62), gate(-50, -100), gaps(10, 30))
	for _, share := range []float64{0.02, 0.04, 0.1} {
		c.add(3, Fixture{Truth: "audio.dropouts", Kind: "buffers of 20 ms lost", Strength: percent(100 * share)},
			spokenAt(-26), room(-64), lostBuffers(share, 20))
	}
}

// addFaultsInRooms adds one or two fixtures of each fault in an ordinary room, with
// reverberation and a fan 22 dB below the voice.
func (c *fixtureList) addFaultsInRooms() {
	livedIn := func(dBFS float64) step {
		return func(t *take) {
			lead(0.5, 0.8)(t)
			cut(7.5)(t)
			reverb(0.5, -9)(t)
			level(dBFS)(t)
			noise(fan, dBFS-22)(t)
		}
	}
	for _, f := range []struct {
		truth, strength string
		device          Device
		steps           []step
	}{
		{"audio.os_volume_low", "-30 dB", Device{VolumeDB: new(-30.0)}, []step{livedIn(-24), gain(-30)}},
		{"audio.bluetooth_handsfree", "8 kHz", Device{Bluetooth: true, NativeRateHz: 8000}, []step{livedIn(-24), telephone}},
		{"audio.narrowband", "8 kHz", Device{}, []step{livedIn(-24), telephone}},
		{"audio.clipped", "0.3 %", Device{}, []step{livedIn(-24), clip(0.3, 0)}},
		{"audio.clipped", "3 %", Device{}, []step{livedIn(-24), clip(3, 0)}},
		{"audio.clipped_upstream", "0.5 %, -6 dB", Device{}, []step{livedIn(-24), clip(0.5, -6)}},
		{"audio.clipped_upstream", "4 %, -12 dB", Device{}, []step{livedIn(-24), clip(4, -12)}},
		{"audio.too_quiet", "-43 dBFS", Device{}, []step{livedIn(-43)}},
		{"audio.too_quiet", "-50 dBFS", Device{}, []step{livedIn(-50)}},
		{"audio.too_loud", "-14 dBFS", Device{}, []step{livedIn(-20), limiter(-14, -0.5)}},
		{"audio.hum", "-42 dBFS", Device{}, []step{livedIn(-24), hum(50, 3, -42)}},
		{"audio.hum", "-36 dBFS", Device{}, []step{livedIn(-24), hum(100, 3, -36)}},
		{"audio.inverted_channel", "0 dB", Device{}, []step{livedIn(-24), pair, inverted(0), room(-64)}},
		{"audio.dead_channel", "-95 dBFS", Device{}, []step{livedIn(-24), pair, dead(1, -95)}},
		{"audio.dropouts", "3 of 30 ms", Device{}, []step{livedIn(-24), gaps(3, 30)}},
		{"audio.dropouts", "6 of 60 ms", Device{}, []step{livedIn(-24), gaps(6, 60)}},
		{"audio.dc_offset", "0.03", Device{}, []step{livedIn(-24), offset(0.03)}},
	} {
		c.add(2, Fixture{Truth: f.truth, Kind: "in an ordinary room", Strength: f.strength, RateHz: 48000, Device: f.device}, f.steps...)
	}
}
