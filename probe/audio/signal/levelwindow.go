package signal

import "slices"

// levelWindow keeps the levels of the frames around one frame sorted, so that quantiles can be read. It contains no
// pointers: a copy is independent.
type levelWindow struct {
	sorted [2*contextFrames + 2]float64 // the next level is added before the oldest is removed
	count  int
}

func (w *levelWindow) add(level float64) {
	at, _ := slices.BinarySearch(w.sorted[:w.count], level)
	copy(w.sorted[at+1:w.count+1], w.sorted[at:w.count])
	w.sorted[at] = level
	w.count++
}

// remove removes a level that was added.
func (w *levelWindow) remove(level float64) {
	at, _ := slices.BinarySearch(w.sorted[:w.count], level)
	copy(w.sorted[at:w.count-1], w.sorted[at+1:w.count])
	w.count--
}

// quantile returns the level that this share of the window does not exceed.
func (w *levelWindow) quantile(share float64) float64 {
	return w.sorted[int(share*float64(w.count))]
}
