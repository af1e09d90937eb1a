// Package microphone tests the whole check of a microphone at real sound servers:
// recordings of known truth are played into it, devices are muted, moved and
// unplugged while it listens, and the report must name the cause.
package microphone
