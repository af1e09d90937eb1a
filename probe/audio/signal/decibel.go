package signal

import "math"

// FloorDBFS is the level of silence. No level is reported below it.
const FloorDBFS = -120

// powerDB converts a mean square to decibels, not below FloorDBFS.
func powerDB(power float64) float64 {
	if power <= 1e-12 {
		return FloorDBFS
	}
	return 10 * math.Log10(power)
}

// amplitudeDB converts a magnitude to decibels, not below FloorDBFS.
func amplitudeDB(magnitude float64) float64 { return powerDB(magnitude * magnitude) }
