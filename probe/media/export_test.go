package media

import "time"

// WithWall returns c with another wall clock. A [time.Time] cannot be built in which only
// one of the two readings is ahead, as it is after a suspension.
func (c VoiceConfig) WithWall(wall func() time.Time) VoiceConfig {
	c.wall = wall
	return c
}
