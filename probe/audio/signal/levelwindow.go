package signal

import "slices"

// levelWindow keeps the levels of the frames around one in order, so that a quantile of them can be read off.
// It holds no pointers: a copy is a window of its own.
type levelWindow struct {
	sorted [2*contextFrames + 2]float64 // the next is added before the oldest goes
	count  int
}

func (w *levelWindow) add(level float64) {
	at, _ := slices.BinarySearch(w.sorted[:w.count], level)
	copy(w.sorted[at+1:w.count+1], w.sorted[at:w.count])
	w.sorted[at] = level
	w.count++
}

// remove takes out a level that was added.
func (w *levelWindow) remove(level float64) {
	at, _ := slices.BinarySearch(w.sorted[:w.count], level)
	copy(w.sorted[at:w.count-1], w.sorted[at+1:w.count])
	w.count--
}

// quantile is the level that this share of those in the window stays below.
func (w *levelWindow) quantile(share float64) float64 {
	return w.sorted[int(share*float64(w.count))]
}
