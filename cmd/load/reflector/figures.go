package reflector

import (
	"fmt"
	"io"
	"net"
	"slices"
	"time"
)

// figures are the results of a measurement.
type figures struct {
	Streams     int
	MediaPort   uint16
	OpenSeconds float64 // time to open all streams
	Seconds     float64 // duration of sending

	Sent, Missed              int // accepted and refused by the sockets of the clients
	Reached, Echoed, Failed   int // according to the reflector's logs
	CameBack                  int
	ReflectorDrops, LoadDrops *int // counted by the kernel as dropped because of full socket buffers; nil if unknown
	TurnaroundUS, RTTUS       []float32
	ReflectorCores, LoadCores *float64
	ReflectorRSSMB, PeakRSSMB *float64

	Flood          string  // "" means none
	FloodPerSecond float64 // connections or datagrams
	floodFault     error
	bystander      bystander

	pid     int
	started time.Time
	ports   map[uint16]bool
	before  usage
}

func (f *figures) begin(streams []*stream) {
	f.ports = map[uint16]bool{}
	for _, s := range streams {
		f.ports[s.conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()] = true
	}
	f.before = usageOf(f.pid)
	f.started = time.Now()
}

// finishWindow reads the resource usage of sending, before the streams end.
func (f *figures) finishWindow() {
	f.Seconds = time.Since(f.started).Seconds()
	after := usageOf(f.pid)
	if f.before.ok && after.ok {
		f.ReflectorCores = new((after.child - f.before.child).Seconds() / f.Seconds)
		f.LoadCores = new((after.self - f.before.self).Seconds() / f.Seconds)
		f.ReflectorRSSMB, f.PeakRSSMB = new(after.rssMB), new(after.peakMB)
	}
}

// end reads the kernel's counters while the sockets are open.
func (f *figures) end(streams []*stream) {
	if own, load, ok := socketDrops(f.MediaPort, f.ports); ok {
		f.ReflectorDrops, f.LoadDrops = &own, &load
	}
	for _, s := range streams {
		f.Sent += int(s.seq)
		f.Missed += s.missed
	}
}

// collect requests the logs and computes the totals.
func (f *figures) collect(c *child, streams []*stream) error {
	for _, s := range streams {
		a, err := c.ask(request{Op: "end", ID: s.id})
		if err != nil {
			return err
		}
		f.Reached += a.Log.UpUnique
		f.Echoed += a.Log.DownSent
		f.Failed += a.Log.DownFailed
		f.CameBack += s.received
		f.TurnaroundUS = append(f.TurnaroundUS, s.turnaroundUS...)
		f.RTTUS = append(f.RTTUS, s.rttUS...)
	}
	slices.Sort(f.TurnaroundUS)
	slices.Sort(f.RTTUS)
	return nil
}

// ownLoss returns the packets lost by the reflector. Over loopback nothing else can
// lose a packet.
func (f *figures) ownLoss() int { return f.Sent - f.Echoed }

func (f *figures) write(w io.Writer) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-34s %s\n", name, fmt.Sprintf(format, args...))
	}
	perSecond := func(n int) string { return fmt.Sprintf("%d (%.0f/s)", n, float64(n)/f.Seconds) }
	line("streams", "%d, opened in %.1f s", f.Streams, f.OpenSeconds)
	line("sending", "%.1f s", f.Seconds)
	line("packets sent", "%s", perSecond(f.Sent))
	line("refused by the load's own sockets", "%d", f.Missed)
	line("reached the reflector", "%s", perSecond(f.Reached))
	line("echoed by it", "%s", perSecond(f.Echoed))
	line("could not be sent by it", "%d", f.Failed)
	line("lost by the reflector", "%d", f.ownLoss())
	line("dropped at its socket (kernel)", "%s", known(f.ReflectorDrops, "%d"))
	line("came back", "%s", perSecond(f.CameBack))
	line("dropped at the load's sockets", "%s", known(f.LoadDrops, "%d"))
	line("turnaround p50, p99, max", "%s", spread(f.TurnaroundUS))
	line("round trip p50, p99, max", "%s", spread(f.RTTUS))
	line("reflector: cores", "%s", known(f.ReflectorCores, "%.2f"))
	line("reflector: memory now, peak", "%s, %s", known(f.ReflectorRSSMB, "%.0f MB"), known(f.PeakRSSMB, "%.0f MB"))
	if f.Flood != "" {
		line("flood", "%s, %.0f/s", f.Flood, f.FloodPerSecond)
		line("relays of another site meanwhile", "%d, %d failed; p50, p99, max %s", len(f.bystander.tookMS), f.bystander.failed, spreadMS(f.bystander.tookMS))
	}
	line("load: cores", "%s", known(f.LoadCores, "%.2f"))
}

func known[T any](v *T, format string) string {
	if v == nil {
		return "unknown"
	}
	return fmt.Sprintf(format, *v)
}

func spread(sorted []float32) string {
	if len(sorted) == 0 {
		return "unknown"
	}
	at := func(p int) float32 { return sorted[(len(sorted)-1)*p/100] / 1e3 }
	return fmt.Sprintf("%.3f, %.3f, %.3f ms", at(50), at(99), at(100))
}

func spreadMS(sorted []float32) string {
	us := slices.Clone(sorted)
	for i := range us {
		us[i] *= 1e3
	}
	return spread(us)
}
