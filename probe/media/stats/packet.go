package stats

// Packet is one arrival. A slice of packets is always in order of arrival.
type Packet struct {
	Seq       uint32
	SentNS    int64 // on the sender's clock
	ArrivedNS int64 // on the receiver's clock
}

// delayNS is the one-way delay plus the unknown offset of the two clocks.
func (p Packet) delayNS() int64 { return p.ArrivedNS - p.SentNS }

// Arrivals are the packets of one stream by number.
type Arrivals struct {
	// First contains the first arrival of each number, in order of arrival.
	First []Packet
	// Duplicates counts repeated arrivals of a number. They do not affect loss, jitter or delay
	// variation.
	Duplicates int
	// Foreign counts arrivals with a number that was never sent. They are ignored; otherwise loss
	// could become negative.
	Foreign int

	firstSeq uint32
	sent     int
	arrived  []bool // by offset from firstSeq
}

// Sort separates first arrivals from duplicates and foreign numbers of a
// stream that used the sent numbers firstSeq, firstSeq+1, … (wrapping at 2^32).
func Sort(packets []Packet, firstSeq uint32, sent int) Arrivals {
	a := Arrivals{
		First:    make([]Packet, 0, min(len(packets), max(sent, 0))),
		firstSeq: firstSeq,
		sent:     max(sent, 0),
		arrived:  make([]bool, max(sent, 0)),
	}
	for _, p := range packets {
		switch at := a.offset(p); {
		case at >= a.sent:
			a.Foreign++
		case a.arrived[at]:
			a.Duplicates++
		default:
			a.arrived[at] = true
			a.First = append(a.First, p)
		}
	}
	return a
}

// offset returns the position of p in the stream. Unsigned subtraction handles the wrap-around; a number
// before firstSeq yields a huge offset.
func (a Arrivals) offset(p Packet) int { return int(p.Seq - a.firstSeq) }

// bySeq returns the first arrivals in order of number, with their positions.
func (a Arrivals) bySeq() (packets []Packet, offsets []int) {
	slot := make([]int, a.sent)
	for i, p := range a.First {
		slot[a.offset(p)] = i + 1
	}
	packets = make([]Packet, 0, len(a.First))
	offsets = make([]int, 0, len(a.First))
	for at, s := range slot {
		if s > 0 {
			packets = append(packets, a.First[s-1])
			offsets = append(offsets, at)
		}
	}
	return packets, offsets
}
