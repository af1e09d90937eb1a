package wav

// The decoders of ITU-T G.711 (11/1988): tables 1a and 1b for A-law, 2a and 2b for
// mu-law. A code word consists of a sign, a segment and a step. The decoded value is the
// middle of the step.

// aLaw decodes a code word to ±1. Its even bits are inverted in transmission; values
// have 13 bits, at most 4032.
func aLaw(code byte) float32 {
	const fullScale = 4096
	code ^= 0x55
	step, segment := int(code&0x0F), int(code>>4&7)
	value := 2*step + 1
	if segment > 0 {
		value = (2*step + 33) << (segment - 1)
	}
	if code&0x80 == 0 {
		value = -value
	}
	return float32(value) / fullScale
}

// muLaw decodes a code word to ±1. All its bits are inverted in transmission; values
// have 14 bits, at most 8031.
func muLaw(code byte) float32 {
	const fullScale, bias = 8192, 33
	code = ^code
	step, segment := int(code&0x0F), int(code>>4&7)
	value := (2*step+bias)<<segment - bias
	if code&0x80 != 0 {
		value = -value
	}
	return float32(value) / fullScale
}
