package stats

import (
	"cmp"
	"math"
	"slices"
)

// Limits of plausible clock skew.
const (
	// MaxSkewPPM is the largest difference of two clocks: 100 ppm for each crystal, and 500 ppm
	// while NTP slews one. A steeper slope is a queue that grows or drains.
	MaxSkewPPM = 500
	// minSkewSpanNS: over a shorter time skew contributes less than the error of its estimate
	// (100 ppm over 2 s are 0.2 ms).
	minSkewSpanNS  = 2e9
	minSkewPackets = 50
	skewWindows    = 16
)

// Skew estimates how much faster the receiver's clock runs than the sender's, in parts per million,
// from packets in any order.
//
// The estimate is the line below all points (sent, delay) with the smallest sum of distances to them
// (Moon, Skelly, Towsley 1999): the edge of the lower convex hull over the mean of the sending times.
// Queueing only adds delay, so the lower edge depends on the clocks alone. The result is 0 if the stream
// is too short, the slope is implausible, or the envelope is not a line (after a change of the route).
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

// delayPoint is a packet relative to the first one. Differences are computed as int64 before the
// conversion, because the uptime in ns exceeds the 53 bits of a float64.
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

// supportSlope follows the lower hull (Andrew's monotone chain) and returns the slope of the edge over
// the mean of x.
func supportSlope(points []delayPoint) float64 {
	var hull []delayPoint
	var sumX float64
	for _, p := range points {
		sumX += p.x
		if len(hull) > 0 && hull[len(hull)-1].x == p.x {
			continue // sorted by y too: the lower one is already there
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

// envelopeIsLine compares the slope with the least delay in each of 16 windows: the residual of a line
// must be less than half of that of a constant. A step of the delay has a steep hull too, but fails here.
func envelopeIsLine(points []delayPoint, slope float64) bool {
	return envelopeRest(points, slope) <= envelopeRest(points, 0)/2
}

// envelopeRest returns the mean height of the windows' least delays above the lowest of them, with slope
// removed.
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
