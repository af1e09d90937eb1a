package docpart

import "fmt"

// Ratio counts how many of a number of results are right.
type Ratio struct{ OK, Of int }

// Pct returns the share in percent; 100 if there are no results.
func (r Ratio) Pct() float64 {
	if r.Of == 0 {
		return 100
	}
	return 100 * float64(r.OK) / float64(r.Of)
}

func (r Ratio) String() string { return fmt.Sprintf("%d of %d (%.1f %%)", r.OK, r.Of, r.Pct()) }

// Add counts a result.
func (r *Ratio) Add(ok bool) {
	r.Of++
	if ok {
		r.OK++
	}
}
