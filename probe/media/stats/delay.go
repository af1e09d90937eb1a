package stats

// PDV returns the packet delay variation of RFC 5481 §4.2 in ms for each packet in the given order: the
// one-way delay less the minimum, with a clock skew of skewPPM (see [Skew]) removed. Values are never
// negative.
func PDV(packets []Packet, skewPPM float64) []float64 {
	if len(packets) == 0 {
		return nil
	}
	pdv := make([]float64, len(packets))
	var least float64
	for i, p := range packets {
		elapsedNS := float64(p.SentNS - packets[0].SentNS)
		pdv[i] = float64(p.delayNS()-packets[0].delayNS()) - skewPPM*1e-6*elapsedNS
		least = min(least, pdv[i])
	}
	for i := range pdv {
		pdv[i] = (pdv[i] - least) / nsPerMS
	}
	return pdv
}

// IPDV returns the inter-packet delay variation of RFC 5481 §4.1 in ms, signed: delay(i)-delay(i-1) for
// consecutive numbers that both arrived.
func IPDV(a Arrivals) []float64 {
	packets, offsets := a.bySeq()
	ipdv := make([]float64, 0, len(packets))
	for i := 1; i < len(packets); i++ {
		if offsets[i] == offsets[i-1]+1 {
			ipdv = append(ipdv, float64(packets[i].delayNS()-packets[i-1].delayNS())/nsPerMS)
		}
	}
	return ipdv
}

// PlayoutBuffersMS are the playout delays for which late loss is reported.
func PlayoutBuffersMS() [5]float64 { return [...]float64{20, 40, 60, 100, 200} }

// LateLoss is the effect of a fixed playout buffer on the stream.
type LateLoss struct {
	BufferMS float64
	LatePct  float64 // arrived with a PDV above the buffer: share of the arrived packets
	TotalPct float64 // lost or late: share of the sent packets, which a listener misses
}

// LateLosses evaluates pdv (ms, first arrivals) for each of [PlayoutBuffersMS], for a stream of sent
// packets.
func LateLosses(pdv []float64, sent int) []LateLoss {
	if len(pdv) == 0 || sent < len(pdv) {
		return nil
	}
	var losses []LateLoss
	for _, buffer := range PlayoutBuffersMS() {
		late := 0
		for _, v := range pdv {
			if v > buffer {
				late++
			}
		}
		losses = append(losses, LateLoss{
			BufferMS: buffer,
			LatePct:  100 * float64(late) / float64(len(pdv)),
			TotalPct: 100 * float64(sent-len(pdv)+late) / float64(sent),
		})
	}
	return losses
}
