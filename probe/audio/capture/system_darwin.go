//go:build cgo

package capture

import "github.com/gen2brain/malgo"

func soundSystems() []soundSystem {
	return []soundSystem{{name: "coreaudio", backend: malgo.BackendCoreaudio, id: cStringID}}
}

func refuseEarly() error { return nil }

func whyNoSound() *startError { return nil }
