package stats

import (
	"cmp"
	"math"
	"slices"
)

// Limits of what is believed to be clock skew.
const (
	// MaxSkewPPM is the most two clocks differ: 100 ppm for each crystal, and
	// 500 ppm while NTP slews one. A steeper slope is a queue that fills or
	// drains, and belongs to the network.
	MaxSkewPPM = 500
	// minSkewSpanNS: over less time skew adds less than the noise of its own
	// estimate (100 ppm over 2 s are 0.2 ms).
	minSkewSpanNS  = 2e9
	minSkewPackets = 50
	skewWindows    = 16
)

// Skew estimates how much faster the receiver's clock runs than the sender's,
// in parts per million, from packets in any order.
//
// The estimate is the line under all points (sent, delay) with the smallest sum
// of distances to them (Moon, Skelly, Towsley 1999): the edge of the lower
// convex hull over the mean of the sending times. Queueing only adds delay, so
// the lower edge sees the clocks alone. It is 0 when the stream is too short,
// the slope is no skew, or the envelope is no line (a route that changed).
func Skew(packets []Packet) (ppm float64) {
	points := delayPoints(packets)
	if len(points) < minSkewPackets || points[len(points)-1].x-points[0].x < minSkewSpanNS {
		return 0
	}
	slope := supportSlope(points)
	if math.Abs(slope)*1e6 > MaxSkewPPM || !envelopeIsLine(points, slope) {
		return 0
	}
	return slope * 1e6
}

// delayPoint is a packet relative to the first: differences are taken as int64
// before they become floats, since ns of uptime do not fit a float64's 53 bits
// for long.
type delayPoint struct{ x, y float64 }

func delayPoints(packets []Packet) []delayPoint {
	points := make([]delayPoint, len(packets))
	for i, p := range packets {
		points[i] = delayPoint{
			x: float64(p.SentNS - packets[0].SentNS),
			y: float64(p.delayNS() - packets[0].delayNS()),
		}
	}
	slices.SortFunc(points, func(a, b delayPoint) int {
		return cmp.Or(cmp.Compare(a.x, b.x), cmp.Compare(a.y, b.y))
	})
	return points
}

// supportSlope walks the lower hull (Andrew's monotone chain) and returns the
// slope of the edge over the mean of x.
func supportSlope(points []delayPoint) float64 {
	var hull []delayPoint
	var sumX float64
	for _, p := range points {
		sumX += p.x
		if len(hull) > 0 && hull[len(hull)-1].x == p.x {
			continue // sorted by y too: the lower one is there already
		}
		for len(hull) >= 2 && !turnsLeft(hull[len(hull)-2], hull[len(hull)-1], p) {
			hull = hull[:len(hull)-1]
		}
		hull = append(hull, p)
	}
	mean := sumX / float64(len(points))
	for i := 1; i < len(hull); i++ {
		if hull[i].x >= mean {
			return (hull[i].y - hull[i-1].y) / (hull[i].x - hull[i-1].x)
		}
	}
	return 0
}

func turnsLeft(a, b, c delayPoint) bool {
	return (b.x-a.x)*(c.y-a.y)-(b.y-a.y)*(c.x-a.x) > 0
}

// envelopeIsLine holds the slope against the least delay of 16 windows: a line
// must leave less than half of what a level leaves. A step in the delay has a
// steep hull too, but fails here.
func envelopeIsLine(points []delayPoint, slope float64) bool {
	return envelopeRest(points, slope) <= envelopeRest(points, 0)/2
}

// envelopeRest is the mean height of the windows' least delays over the lowest
// of them, once slope is taken out.
func envelopeRest(points []delayPoint, slope float64) float64 {
	span := points[len(points)-1].x - points[0].x
	lowest := math.Inf(1)
	var least [skewWindows]float64
	for i := range least {
		least[i] = math.Inf(1)
	}
	for _, p := range points {
		w := min(int((p.x-points[0].x)/span*skewWindows), skewWindows-1)
		y := p.y - slope*p.x
		least[w] = min(least[w], y)
		lowest = min(lowest, y)
	}
	var rest, n float64
	for _, y := range least {
		if !math.IsInf(y, 1) {
			rest += y - lowest
			n++
		}
	}
	return rest / n
}
