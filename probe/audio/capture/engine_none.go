//go:build !cgo || !(linux || windows || darwin)

package capture

import "github.com/tonprobe/tonprobe/probe/report"

// Built reports whether this build can record.
const Built = false

func openEngine() (engine, error) {
	return nil, &startError{state: report.CaptureNotBuilt, text: "built without audio"}
}
