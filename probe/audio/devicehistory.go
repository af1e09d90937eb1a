package audio

import (
	"cmp"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
	"github.com/tonprobe/tonprobe/probe/audio/osstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

// deviceHistory records the operating system's state of the devices during a capture.
// The end counts: a microphone that was muted or unplugged in the last half second
// will not be heard in the session. Therefore the states at the start and at the
// end are both kept, and the time of the last change.
type deviceHistory struct {
	device capture.Device // the device that was opened; zero before the stream has started

	begin, state osstate.Snapshot // the first after the stream began, and the latest
	looked       bool             // begin has been set
	streamID     string           // the first device that the system reported as the source of the stream
	serverGone   bool

	muted, volume, moved since
}

// since is the stream position at which a property took its present value. It is
// nil if the property has not changed since the start.
type since struct{ at *time.Duration }

func (s *since) changed(at time.Duration, differs bool) {
	if differs {
		s.at = new(at)
	}
}

// ms returns the position in ms; nil if the property has not changed, or has changed back.
func (s since) ms(holds bool) *float64 {
	if s.at == nil || !holds {
		return nil
	}
	return milliseconds(s.at.Nanoseconds())
}

// open records the device from which the stream is captured.
func (c *deviceHistory) open(d capture.Device) {
	c.device, c.begin, c.looked = d, c.state, true
}

// look records a state of the system at stream position at.
func (c *deviceHistory) look(s capture.State, at time.Duration) {
	c.serverGone = s.ServerGone
	if s.Unread {
		return
	}
	before := *c
	c.state = s.Snapshot
	if c.state.Devices == nil { // an empty list is an answer too
		c.state.Devices = map[string]osstate.Device{}
	}
	if !c.looked {
		return
	}
	if c.streamID == "" {
		c.streamID = c.state.StreamDeviceID
	}
	if _, listed := c.begin.Devices[c.startID()]; !listed {
		c.begin = c.state // the first state that lists the device
	}
	was, is := before.now(), c.now()
	c.muted.changed(at, before.begin.Devices != nil && isTrue(is.Muted) != isTrue(was.Muted))
	c.volume.changed(at, before.begin.Devices != nil && different(is.VolumeDB, was.VolumeDB))
	switch away := c.rerouted() || c.unplugged() || c.defaultChanged() || c.suspended(); {
	case !away:
		c.moved.at = nil
	case c.moved.at == nil:
		c.moved.at = new(at)
	}
}

func different(a, b *float64) bool { return a != nil && b != nil && *a != *b }

// startID returns the ID of the device that was recorded at the start. Which
// device the default was is known only from the stream itself.
func (c *deviceHistory) startID() string { return cmp.Or(c.streamID, c.device.ID) }

// endID returns the ID of the device that is recorded now. It is empty if the
// device has gone and no other device has replaced it.
func (c *deviceHistory) endID() string {
	id := cmp.Or(c.state.StreamDeviceID, c.startID())
	if _, there := c.state.Devices[id]; !there && c.state.Devices != nil && c.unplugged() {
		return ""
	}
	return id
}

// now returns the latest state of the recorded device; for a device that has gone, its state at
// the start.
func (c *deviceHistory) now() osstate.Device {
	id := c.endID()
	if d, ok := c.state.Devices[id]; ok {
		return d
	}
	return c.begin.Devices[c.startID()]
}

func (c *deviceHistory) rerouted() bool {
	return c.streamID != "" && c.state.StreamDeviceID != "" && c.state.StreamDeviceID != c.streamID
}

// unplugged reports whether the device was unplugged since the start of the capture. The
// present state alone is not sufficient, because some systems do not list the device they
// record from, and some jacks always report "not plugged in".
func (c *deviceHistory) unplugged() bool {
	before, listed := c.begin.Devices[c.startID()]
	after, still := c.state.Devices[c.startID()]
	return listed && (!still || isTrue(after.Unplugged) && isFalse(before.Unplugged))
}

func (c *deviceHistory) defaultChanged() bool {
	return c.isDefault(c.begin) && c.state.DefaultID != "" && !c.isDefault(c.state)
}

// isDefault reports whether the recorded device is a default device. On Windows this includes
// the default communications device, which communication programs use.
func (c *deviceHistory) isDefault(s osstate.Snapshot) bool {
	id := c.startID()
	return id != "" && (id == s.DefaultID || id == s.DefaultCommsID)
}

// suspended reports whether the system has suspended the recorded device. A
// suspended device delivers no samples to any program.
func (c *deviceHistory) suspended() bool {
	return c.looked && c.streamID != "" && isTrue(c.now().Suspended)
}

// describe writes into d what happened to the device by the end of the capture.
func (c *deviceHistory) describe(d *report.AudioInput, device func(id string) capture.Device, names *namer) {
	end := c.now()
	d.OSMuted, d.OSVolumeDB = end.Muted, end.VolumeDB
	d.MutedAfterMS, d.VolumeAfterMS = c.muted.ms(isTrue(end.Muted)), c.volume.ms(end.VolumeDB != nil && different(end.VolumeDB, c.begin.Devices[c.startID()].VolumeDB))
	if c.serverGone {
		d.ServerGone = new(true)
	}
	if c.streamID != "" {
		d.Rerouted = new(c.rerouted())
	}
	if c.state.Devices == nil {
		d.OSUnread = new(true)
		return
	}
	d.Unplugged, d.Suspended = new(c.unplugged()), new(c.suspended())
	if c.isDefault(c.begin) {
		d.DefaultChanged = new(c.defaultChanged())
	}
	d.MovedAfterMS = c.moved.ms(true)
	if known, ok := c.state.Devices[c.state.DefaultID]; ok && isFalse(d.IsDefault) && !isTrue(known.IsMonitor) {
		other := device(c.state.DefaultID)
		d.DefaultDevice = names.microphone("default_device", other)
		d.DefaultMuted = known.Muted
	}
	if id := c.state.DefaultCommsID; id != c.startID() && c.startID() == c.state.DefaultID {
		if known, ok := c.state.Devices[id]; ok {
			d.CommsDevice = names.microphone("comms_device", device(id))
			d.CommsMuted = known.Muted
		}
	}
	if id := c.endID(); id != "" {
		last := device(id)
		d.EndDevice = names.microphone("end_device", last)
		d.EndIsMonitor = new(last.IsMonitor)
	}
}

func isFalse(b *bool) bool { return b != nil && !*b }
