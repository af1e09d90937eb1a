package audio

import (
	"cmp"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
	"github.com/tonprobe/tonprobe/probe/audio/osstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

// course is what the system says of the devices over a recording. The end
// counts: a microphone that was muted or unplugged in the last half second is
// not heard in the session. So what the system said at the start and at the end
// are both kept, and since when it is as it is at the end.
type course struct {
	device capture.Device // opened; without channels in the stream nothing is

	begin, state osstate.Snapshot // the first after the stream began, and the latest
	looked       bool             // begin is set
	streamID     string           // the first device the system said it records from
	serverGone   bool

	muted, volume, moved since
}

// since is how much sound had come when a property took the value it has. It is
// nil for one that it had from the start.
type since struct{ at *time.Duration }

func (s *since) changed(at time.Duration, differs bool) {
	if differs {
		s.at = new(at)
	}
}

// ms is nil where the property has not changed, or has changed back.
func (s since) ms(holds bool) *float64 {
	if s.at == nil || !holds {
		return nil
	}
	return milliseconds(s.at.Nanoseconds())
}

// open notes that the device is recorded from now on.
func (c *course) open(d capture.Device) {
	c.device, c.begin, c.looked = d, c.state, true
}

// look takes in what the system says when so much sound had come.
func (c *course) look(s capture.State, at time.Duration) {
	c.serverGone = s.ServerGone
	if s.Unread {
		return
	}
	before := *c
	c.state = s.Snapshot
	if c.state.Devices == nil { // none at all, which is an answer
		c.state.Devices = map[string]osstate.Device{}
	}
	if !c.looked {
		return
	}
	if c.streamID == "" {
		c.streamID = c.state.StreamDeviceID
	}
	if _, listed := c.begin.Devices[c.startID()]; !listed {
		c.begin = c.state // the first answer that knows the device
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

// startID is the device recorded from at the start. Which one the default is
// only the system knows that opened it.
func (c *course) startID() string { return cmp.Or(c.streamID, c.device.ID) }

// endID is the device recorded from now; empty where it has gone and no other
// took its place.
func (c *course) endID() string {
	id := cmp.Or(c.state.StreamDeviceID, c.startID())
	if _, there := c.state.Devices[id]; !there && c.state.Devices != nil && c.unplugged() {
		return ""
	}
	return id
}

// now is what is known of the device recorded from; of one that has gone, what
// was known of it.
func (c *course) now() osstate.Device {
	id := c.endID()
	if d, ok := c.state.Devices[id]; ok {
		return d
	}
	return c.begin.Devices[c.startID()]
}

func (c *course) rerouted() bool {
	return c.streamID != "" && c.state.StreamDeviceID != "" && c.state.StreamDeviceID != c.streamID
}

// unplugged compares with the start, as a system may not list what it records
// from, and a socket may always say that it is empty.
func (c *course) unplugged() bool {
	before, listed := c.begin.Devices[c.startID()]
	after, still := c.state.Devices[c.startID()]
	return listed && (!still || isTrue(after.Unplugged) && isFalse(before.Unplugged))
}

func (c *course) defaultChanged() bool {
	return c.isDefault(c.begin) && c.state.DefaultID != "" && !c.isDefault(c.state)
}

// isDefault minds both of Windows' defaults: programs for calls take the one
// for communications.
func (c *course) isDefault(s osstate.Snapshot) bool {
	id := c.startID()
	return id != "" && (id == s.DefaultID || id == s.DefaultCommsID)
}

// suspended is of the device recorded from: nobody takes sound from a device
// that the system has stopped.
func (c *course) suspended() bool { return c.looked && c.streamID != "" && isTrue(c.now().Suspended) }

// describe fills in what became of the device by the end.
func (c *course) describe(d *report.AudioInput, device func(id string) capture.Device, names *namer) {
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
	if id := c.endID(); id != "" {
		last := device(id)
		d.EndDevice = names.microphone("end_device", last)
		d.EndIsMonitor = new(last.IsMonitor)
	}
}

func isFalse(b *bool) bool { return b != nil && !*b }
