package sqlstore

import (
	"iter"
	"strings"
)

// chunkSizes contains the numbers of rows for which there is a statement: few, because
// they stay prepared, and each half of the previous one, because each statement is a
// round trip to PostgreSQL.
func chunkSizes() []int { return []int{64, 32, 16, 8, 4, 2, 1} }

// chunks splits a list into parts of these sizes.
func chunks[T any](list []T) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		for _, size := range chunkSizes() {
			for len(list) >= size {
				if !yield(list[:size:size]) {
					return
				}
				list = list[size:]
			}
		}
	}
}

// padded splits the keys of a search into parts of these sizes. The last key is
// repeated to fill the last part, which has no effect on the result.
func padded(keys []string) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for len(keys) > 0 {
			n := min(len(keys), chunkSizes()[0])
			size := n
			for _, s := range chunkSizes() {
				if s >= n {
					size = s
				}
			}
			part := make([]any, size)
			for i := range part {
				part[i] = keys[min(i, n-1)]
			}
			if !yield(part) {
				return
			}
			keys = keys[n:]
		}
	}
}

// marks returns n parameters.
func marks(n int) string { return tuples(n, "?") }

// tuples returns a list of n equal parts.
func tuples(n int, part string) string {
	return strings.TrimSuffix(strings.Repeat(part+", ", n), ", ")
}
