package report

// Names of the probes of the media stream.
const (
	ProbeMediaVoice = "media.voice"
	ProbeMediaLoad  = "media.load"
)

func mediaProbes() []Probe {
	return []Probe{
		{Name: ProbeMediaVoice, Data: (*MediaVoice)(nil), Against: AgainstReflector},
		{Name: ProbeMediaLoad, Data: (*MediaLoad)(nil), Against: AgainstCollector},
	}
}

// MediaState is how far the voice-like stream got.
type MediaState string

// The states of the voice stream.
const (
	MediaComplete      MediaState = "complete"
	MediaNoSignalling  MediaState = "no_signalling"   // the request to the collector's echo failed (HTTP)
	MediaServerError   MediaState = "server_error"    // the collector reported an error of its own
	MediaICEFailed     MediaState = "ice_failed"      // signalling worked, no path for packets was found
	MediaDTLSFailed    MediaState = "dtls_failed"     // a path was found, no keys agreed
	MediaNotFlowing    MediaState = "not_flowing"     // connected, but no echo came back
	MediaInterrupted   MediaState = "interrupted"     // the stream broke off
	MediaNotEnrolled   MediaState = "not_enrolled"    // no collector to measure against
	MediaBlocked       MediaState = "blocked"         // the collector has blocked the participant
	MediaUnknownAgent  MediaState = "unknown_agent"   // the collector no longer knows this computer
	MediaSelfCheckVoid MediaState = "self_check_void" // this computer was the bottleneck
)

// MediaVoice describes a voice-like stream (20 ms packets of the size of Opus) to the
// reflector (up) and back (down).
type MediaVoice struct {
	// State is how far the stream got.
	State MediaState `json:"state" show:"never"`
	// Path is the type and transport of the selected pair, such as "srflx udp".
	Path string `json:"path,omitempty" show:"details dashboard"`
	// DirectUDP reports whether the server's media port answered over UDP; nil if that
	// is not known.
	DirectUDP *bool `json:"direct_udp,omitempty" show:"never"`
	// DirectTCP reports whether a TCP connection to the server's media port succeeded;
	// nil if it was not tried because UDP answered.
	DirectTCP *bool `json:"direct_tcp,omitempty" show:"never"`
	// ICEMS is the time from the answer to a connected path in ms.
	ICEMS *float64 `json:"ice_ms,omitempty" show:"never"`
	// DTLSMS is the time from the connected path to agreed keys in ms.
	DTLSMS *float64 `json:"dtls_ms,omitempty" show:"never"`

	// Sent is the number of packets sent to the reflector.
	Sent *int `json:"sent,omitempty" show:"never"`
	// UpReceived is the number of distinct packets that reached the reflector.
	UpReceived *int `json:"up_received,omitempty" show:"never"`
	// DownSent is the number of packets the reflector sent back.
	DownSent *int `json:"down_sent,omitempty" show:"never"`
	// DownReceived is the number of distinct packets that came back.
	DownReceived *int `json:"down_received,omitempty" show:"never"`

	// UpLossPct is the share of packets lost upstream in percent, 0..100.
	UpLossPct *float64 `json:"up_loss_pct,omitempty" show:"details dashboard"`
	// UpLossCI95 is the Wilson 95 % interval of UpLossPct in percent.
	UpLossCI95 *Interval `json:"up_loss_pct_ci95,omitempty" show:"never"`
	// DownLossPct is the share of packets lost downstream in percent, 0..100.
	DownLossPct *float64 `json:"down_loss_pct,omitempty" show:"details dashboard"`
	// DownLossCI95 is the Wilson 95 % interval of DownLossPct in percent.
	DownLossCI95 *Interval `json:"down_loss_pct_ci95,omitempty" show:"never"`
	// UpLossRunPackets is the mean number of consecutive packets lost upstream; nil if
	// none was lost or the lost ones are not known.
	UpLossRunPackets *float64 `json:"up_loss_run_packets,omitempty" range:"0..1e6" show:"never"`
	// DownLossRunPackets is the same for downstream, in packets.
	DownLossRunPackets *float64 `json:"down_loss_run_packets,omitempty" range:"0..1e6" show:"never"`
	// UpJitterMS is the jitter up in ms over the whole stream: the mean of |D| of RFC
	// 3550 §6.4.1, of which J is a moving average.
	UpJitterMS *float64 `json:"up_jitter_ms,omitempty" show:"details dashboard"`
	// DownJitterMS is the jitter down in ms, as UpJitterMS.
	DownJitterMS *float64 `json:"down_jitter_ms,omitempty" show:"details dashboard"`
	// UpJitterMaxMS is the maximum of J of RFC 3550 upstream, in ms.
	UpJitterMaxMS *float64 `json:"up_jitter_max_ms,omitempty" show:"never"`
	// DownJitterMaxMS is the maximum of J downstream, in ms.
	DownJitterMaxMS *float64 `json:"down_jitter_max_ms,omitempty" show:"never"`
	// RTTMinMS is the shortest round trip in ms, without the reflector's turnaround
	// time.
	RTTMinMS *float64 `json:"rtt_min_ms,omitempty" show:"never"`
	// RTTP50MS is the median round trip in ms, as RTTMinMS.
	RTTP50MS *float64 `json:"rtt_p50_ms,omitempty" show:"details dashboard"`
	// RTTP95MS is the 95th percentile of the round trip in ms, as RTTMinMS.
	RTTP95MS *float64 `json:"rtt_p95_ms,omitempty" show:"details"`
	// RTTP99MS is the 99th percentile of the round trip in ms, as RTTMinMS.
	RTTP99MS *float64 `json:"rtt_p99_ms,omitempty" show:"never"`

	// UpPDVP50MS is the median packet delay variation up in ms (RFC 5481 §4.2), skew removed.
	UpPDVP50MS *float64 `json:"up_pdv_p50_ms,omitempty" show:"never"`
	// UpPDVP95MS is its 95th percentile in ms.
	UpPDVP95MS *float64 `json:"up_pdv_p95_ms,omitempty" show:"never"`
	// UpPDVP99MS is its 99th percentile in ms.
	UpPDVP99MS *float64 `json:"up_pdv_p99_ms,omitempty" show:"never"`
	// DownPDVP50MS is the median packet delay variation down in ms, as UpPDVP50MS.
	DownPDVP50MS *float64 `json:"down_pdv_p50_ms,omitempty" show:"never"`
	// DownPDVP95MS is its 95th percentile in ms.
	DownPDVP95MS *float64 `json:"down_pdv_p95_ms,omitempty" show:"never"`
	// DownPDVP99MS is its 99th percentile in ms.
	DownPDVP99MS *float64 `json:"down_pdv_p99_ms,omitempty" show:"never"`

	// UpIPDVP5MS is the 5th percentile of the inter-packet delay variation up in ms
	// (RFC 5481 §4.1); negative if a packet was faster than the one before it.
	UpIPDVP5MS *float64 `json:"up_ipdv_p5_ms,omitempty" range:"-1e9..1e9" show:"never"`
	// UpIPDVP50MS is its median in ms.
	UpIPDVP50MS *float64 `json:"up_ipdv_p50_ms,omitempty" range:"-1e9..1e9" show:"never"`
	// UpIPDVP95MS is its 95th percentile in ms.
	UpIPDVP95MS *float64 `json:"up_ipdv_p95_ms,omitempty" range:"-1e9..1e9" show:"never"`
	// DownIPDVP5MS is the 5th percentile of the inter-packet delay variation down in ms
	// (RFC 5481 §4.1); negative if a packet was faster than the one before it.
	DownIPDVP5MS *float64 `json:"down_ipdv_p5_ms,omitempty" range:"-1e9..1e9" show:"never"`
	// DownIPDVP50MS is its median in ms.
	DownIPDVP50MS *float64 `json:"down_ipdv_p50_ms,omitempty" range:"-1e9..1e9" show:"never"`
	// DownIPDVP95MS is its 95th percentile in ms.
	DownIPDVP95MS *float64 `json:"down_ipdv_p95_ms,omitempty" range:"-1e9..1e9" show:"never"`

	// UpQueueMS is the range in ms over which the minimum delay of the packets up rose
	// and fell: the variation of a queue that other traffic keeps full; 0 if there was
	// none.
	UpQueueMS *float64 `json:"up_queue_ms,omitempty" show:"never"`
	// UpRateKbps is the rate in kbit/s (of IPv4 packets) at which the line carried the
	// stream up if it was too narrow for it; nil if it was not.
	UpRateKbps *float64 `json:"up_rate_kbps,omitempty" show:"never"`
	// DownQueueMS is the range in ms over which the minimum delay of the packets down
	// rose and fell: the variation of a queue that other traffic keeps full; 0 if there
	// was none.
	DownQueueMS *float64 `json:"down_queue_ms,omitempty" show:"never"`
	// DownRateKbps is the rate in kbit/s (of IPv4 packets) at which the line carried
	// the stream down if it was too narrow for it; nil if it was not.
	DownRateKbps *float64 `json:"down_rate_kbps,omitempty" show:"never"`

	// Reordered is the number of reordered packets in both directions (RFC 4737).
	Reordered *int `json:"reordered,omitempty" show:"never"`
	// Duplicates is the number of second arrivals in both directions; they are never
	// part of the loss.
	Duplicates *int `json:"duplicates,omitempty" show:"never"`
	// BurstDensityPct is the share lost inside bursts in percent (RFC 3611 §4.7.2), the worse direction.
	BurstDensityPct *float64 `json:"burst_density_pct,omitempty" show:"never"`
	// BurstMS is the mean length of a burst in ms (RFC 3611 §4.7.2), 0 without any, the worse direction.
	BurstMS *float64 `json:"burst_ms,omitempty" show:"never"`
	// GapMS is the mean length of a gap between bursts in ms (RFC 3611 §4.7.2), the worse direction.
	GapMS *float64 `json:"gap_ms,omitempty" show:"never"`
	// GapDensityPct is the share lost in gaps in percent (RFC 3611 §4.7.2), the worse direction.
	GapDensityPct *float64 `json:"gap_density_pct,omitempty" show:"never"`
	// LongestGapMS is the longest run of lost packets in ms, the worse direction.
	LongestGapMS *float64 `json:"longest_gap_ms,omitempty" show:"never"`
	// LatePct20MS is the share that would miss a 20 ms playout buffer in percent, the worse direction.
	LatePct20MS *float64 `json:"late_pct_20ms,omitempty" show:"never"`
	// LatePct40MS is the share that would miss a 40 ms playout buffer in percent, the worse direction.
	LatePct40MS *float64 `json:"late_pct_40ms,omitempty" show:"never"`
	// LatePct60MS is the share that would miss a 60 ms playout buffer in percent, the worse direction.
	LatePct60MS *float64 `json:"late_pct_60ms,omitempty" show:"dashboard"`
	// LatePct100MS is the same for 100 ms in percent.
	LatePct100MS *float64 `json:"late_pct_100ms,omitempty" show:"never"`
	// LatePct200MS is the same for 200 ms in percent.
	LatePct200MS *float64 `json:"late_pct_200ms,omitempty" show:"never"`
	// BurstRatio is the BurstR of ITU-T G.107; 1 is random loss.
	BurstRatio *float64 `json:"burst_ratio,omitempty" range:"0..1e6" show:"never"`
	// RFactor is the transmission rating by MOSModel.
	RFactor *float64 `json:"r_factor,omitempty" range:"-1000..1000" show:"never"`
	// MOS is the estimated mean opinion score, 1..4.5.
	MOS *float64 `json:"mos,omitempty" range:"1..5" show:"details dashboard"`
	// MOSModel is the recommendation and the codec assumed for MOS and RFactor.
	MOSModel string `json:"mos_model,omitempty" show:"never"`
	// ServerAnsweredS is, in s, NAT.ServerAnsweredS at the end of the stream.
	ServerAnsweredS *float64 `json:"server_answered_s,omitempty" show:"never"`
	// SelfCheck reports how well this computer kept its own schedule: ok, degraded or
	// void.
	SelfCheck string `json:"self_check,omitempty" oneof:"ok degraded void" show:"never"`
	// SendLatenessP95MS is the 95th percentile of the delay of sending on this
	// computer, in ms.
	SendLatenessP95MS *float64 `json:"send_lateness_p95_ms,omitempty" show:"never"`
}

// MediaLoad describes the capacity of the line, and the delay while it is full.
type MediaLoad struct {
	// UpKbps is the rate at which bytes arrived at the collector while the line was
	// full and the rate was steady, in kbit/s of the IP layer: TCP payload times
	// 1500/1448 for the headers of full packets (in version 1 of this probe: payload as
	// sent).
	UpKbps *float64 `json:"up_kbps,omitempty" show:"summary details dashboard"`
	// UpCI95 is the 95 % interval of UpKbps in kbit/s; nil if the collector did not
	// report when bytes arrived.
	UpCI95 *Interval `json:"up_kbps_ci95,omitempty" show:"never"`
	// DownKbps is the same for bytes that arrived at this computer, in kbit/s.
	DownKbps *float64 `json:"down_kbps,omitempty" show:"summary details dashboard"`
	// DownCI95 is the 95 % interval of DownKbps in kbit/s.
	DownCI95 *Interval `json:"down_kbps_ci95,omitempty" show:"never"`
	// IdleRTTMS is the median round trip before the load in ms.
	IdleRTTMS *float64 `json:"idle_rtt_ms,omitempty" show:"summary details dashboard"`
	// LoadedRTTUpMS is the median round trip while sending in ms.
	LoadedRTTUpMS *float64 `json:"loaded_rtt_up_ms,omitempty" show:"summary details dashboard"`
	// LoadedRTTDownMS is the median round trip while receiving in ms.
	LoadedRTTDownMS *float64 `json:"loaded_rtt_down_ms,omitempty" show:"summary details dashboard"`
	// UpBytes is the number of bytes sent for it.
	UpBytes *int `json:"up_bytes,omitempty" show:"never"`
	// DownBytes is the number of bytes received for it.
	DownBytes *int `json:"down_bytes,omitempty" show:"never"`
}

func (MediaState) values() []string {
	return texts(MediaComplete, MediaNoSignalling, MediaServerError, MediaICEFailed, MediaDTLSFailed,
		MediaNotFlowing, MediaInterrupted, MediaNotEnrolled, MediaBlocked, MediaUnknownAgent, MediaSelfCheckVoid)
}
