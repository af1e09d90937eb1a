package emodel

// opusSource is the source of the values for Opus, for which ITU-T G.113 contains none:
// M. Alahmadi, P. Pocta, H. Melvin, "An Adaptive Bitrate Switching Algorithm for Speech
// Applications in Context of WebRTC", ACM TOMM 17(4), 2021. No other measured values are known.
// Each rate has a Bpl for random and one for bursty loss.
const opusSource = " (Alahmadi, Pocta, Melvin 2021)"

// OpusWideband is Opus VBR at 13 kbit/s on the scale of G.107.1.
func OpusWideband(bursty bool) Codec {
	return opus("Opus WB VBR 13 kbit/s", 19.96, 19.50, 16.92, bursty)
}

// OpusSuperWideband25k is Opus at 25 kbit/s on the scale of G.107.2.
func OpusSuperWideband25k(bursty bool) Codec {
	return opus("Opus SWB 25 kbit/s", 20.21, 11.28, 9.18, bursty)
}

// OpusSuperWideband31k is Opus at 31 kbit/s on the scale of G.107.2.
func OpusSuperWideband31k(bursty bool) Codec {
	return opus("Opus SWB 31 kbit/s", 16.83, 10.44, 8.82, bursty)
}

// OpusSuperWideband40k is Opus at 40 kbit/s on the scale of G.107.2.
func OpusSuperWideband40k(bursty bool) Codec {
	return opus("Opus SWB 40 kbit/s", 10.67, 9.79, 8.04, bursty)
}

func opus(name string, ie, bplRandom, bplBursty float64, bursty bool) Codec {
	if bursty {
		return Codec{Name: name + ", bursty loss" + opusSource, Ie: ie, Bpl: bplBursty}
	}
	return Codec{Name: name + ", random loss" + opusSource, Ie: ie, Bpl: bplRandom}
}
