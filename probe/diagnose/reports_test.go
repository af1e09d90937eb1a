package diagnose_test

import (
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// healthy returns a check in which everything was measured and nothing is wrong.
func healthy() *report.Report {
	return &report.Report{
		Schema: report.SchemaV1, ID: "0197a5c4-7e00-7000-8000-000000000001", Case: "K7P-3QX",
		Agent:   report.Agent{ID: "5f0f6a3e-7a4c-4a53-9d0e-3f1a52b4c6d7", Version: "1.0.0", OS: "linux", Arch: "amd64"},
		Trigger: report.TriggerCheck, Profile: "bbb", Target: "https://bbb.example.org",
		StartedAt: startedAt(), DurationMS: 9000, FirstVerdictMS: 1200, Verdict: report.Unknown,
		Probes: []report.Result{
			result(report.ProbeAudioInput, healthyInput()),
			result(report.ProbeNAT, &report.NAT{UDP: report.ReachOpen, TCP: report.ReachOpen, UDPRTTMS: new(18.0)}),
			result(report.ProbeMediaVoice, healthyVoice()),
			result(report.ProbeNetworkWeb, healthyWeb()),
			result(report.ProbeAudioOutput, &report.AudioOutput{
				Device: "Lautsprecher", OSMuted: new(false), OSVolumeDB: new(-6.0),
				LoopHeard: new(true), LoopDelayMS: new(90.0), EchoReturnDB: new(-28.0),
			}),
			result(report.ProbeNATBehavior, &report.NATBehavior{
				UDP: new(true), Mapping: "EIM", Filtering: "APDF", LegacyName: "port restricted cone", CGNAT: new(false),
			}),
			result(report.ProbeNATTURN, &report.NATTURN{
				Transports:   new(3),
				UDPAllocated: new(true), UDPRelayed: new(true), UDPRTTMS: new(19.0),
				TCPAllocated: new(true), TCPRelayed: new(true), TCPRTTMS: new(20.0),
				TLSAllocated: new(true), TLSRelayed: new(true), TLSRTTMS: new(20.0),
			}),
			result(report.ProbeNetworkLink, &report.NetworkLink{
				Kind: "wifi", SignalDBM: new(-58.0), RateMbps: new(144.0), GatewayState: "answered", GatewayRTTMS: new(2.1),
				GatewaySent: new(20), GatewayLossPct: new(0.0), VPN: new(false), IPv4: new(true), IPv6: new(true), IPv6Reached: new(true), MTU: new(1500),
			}),
			result(report.ProbeNetworkPath, &report.NetworkPath{FaultSegment: "none", Segments: []report.PathSegment{
				{Name: "lan", Sent: new(50), RTTMS: new(2.0), LossPct: new(0.0)},
				{Name: "access", Sent: new(8), RTTMS: new(9.0), LossPct: new(25.0)}, // its router limits ICMP
				{Name: "server", Sent: new(50), RTTMS: new(18.0), LossPct: new(0.0)},
			}}),
			result(report.ProbeMediaLoad, &report.MediaLoad{
				UpKbps: new(9_000.0), DownKbps: new(46_000.0), IdleRTTMS: new(19.0), LoadedRTTUpMS: new(60.0), LoadedRTTDownMS: new(45.0),
			}),
		},
	}
}

func startedAt() time.Time { return time.Date(2026, 3, 2, 17, 55, 0, 0, time.UTC) }

func result(name string, data report.Data) report.Result {
	return report.Result{Name: name, Version: 1, Status: report.StatusOK, StartedAt: startedAt(), DurationMS: 6000, Data: data}
}

func healthyInput() *report.AudioInput {
	return &report.AudioInput{
		State: report.CaptureComplete, Device: "Headset", Backend: "pulse",
		Microphones: new(1), NativeRateHz: new(48000), NativeChannels: new(1),
		IsDefault: new(true), IsMonitor: new(false), IsBluetooth: new(false),
		OSMuted: new(false), OSVolumeDB: new(0.0),
		CapturedMS: new(6000.0), SpeechMS: new(4200.0),
		ActiveLevelDBFS: new(-24.0), ActivityPct: new(80.0), RMSDBFS: new(-25.0),
		PeakDBFS: new(-8.0), TruePeakDBTP: new(-7.5),
		NoiseFloorDBFS: new(-62.0), SNRDB: new(38.0),
		ClippedRuns: new(0), ClippedPct: new(0.0), ClippedUpstreamRuns: new(0),
		BandwidthHz: new(11000.0), BandRatioDB: new(-18.0), DCOffset: new(0.0004),
		Dropouts: new(0), LongestGapMS: new(0.0), DigitalZeroMS: new(0.0), AllZero: new(false),
		FirstCallbackMS: new(600.0), LongestCallbackGapMS: new(22.0), RateErrorPct: new(0.1),
		Rerouted: new(false),
	}
}

func healthyVoice() *report.MediaVoice {
	return &report.MediaVoice{
		State: report.MediaComplete, Path: "srflx udp", ICEMS: new(120.0), DTLSMS: new(80.0),
		Sent: new(300), UpReceived: new(300), DownSent: new(300), DownReceived: new(300),
		UpLossPct: new(0.0), UpLossCI95: &report.Interval{0, 1.26},
		DownLossPct: new(0.0), DownLossCI95: &report.Interval{0, 1.26},
		UpJitterMS: new(2.1), DownJitterMS: new(1.7), UpJitterMaxMS: new(4.0), DownJitterMaxMS: new(3.0),
		RTTMinMS: new(17.0), RTTP50MS: new(21.0), RTTP95MS: new(30.0), RTTP99MS: new(41.0),
		Reordered: new(0), Duplicates: new(0), LatePct60MS: new(0.0), LongestGapMS: new(0.0),
		SelfCheck: "ok",
	}
}

func healthyWeb() *report.NetworkWeb {
	return &report.NetworkWeb{
		Stage: "http", Online: new(true), DNSMS: new(12.0), TCPMS: new(20.0), TLSMS: new(25.0), HTTPMS: new(30.0),
		HTTPStatus: new(200), ServerHealthy: new(true), Proxy: "none", CaptivePortal: new(false),
		TLSIntercepted: new(false), ClockOffsetMS: new(140.0), ClockUncertaintyMS: new(20.0), WebSocket: new(true),
	}
}

// input, voice and so on return the data of one probe, for tests to modify.
func input(r *report.Report) *report.AudioInput   { return report.Find[report.AudioInput](r) }
func output(r *report.Report) *report.AudioOutput { return report.Find[report.AudioOutput](r) }
func nat(r *report.Report) *report.NAT            { return report.Find[report.NAT](r) }
func voice(r *report.Report) *report.MediaVoice   { return report.Find[report.MediaVoice](r) }
func web(r *report.Report) *report.NetworkWeb     { return report.Find[report.NetworkWeb](r) }
func link(r *report.Report) *report.NetworkLink   { return report.Find[report.NetworkLink](r) }
func path(r *report.Report) *report.NetworkPath   { return report.Find[report.NetworkPath](r) }
func load(r *report.Report) *report.MediaLoad     { return report.Find[report.MediaLoad](r) }
func behavior(r *report.Report) *report.NATBehavior {
	return report.Find[report.NATBehavior](r)
}
func turn(r *report.Report) *report.NATTURN { return report.Find[report.NATTURN](r) }

// visited adds a check of a conference system.
func visited(r *report.Report, probe string, c *report.Conference) {
	r.Probes = append(r.Probes, report.Result{Name: probe, Version: 1, Status: report.StatusWarn, StartedAt: r.StartedAt, Data: c})
}

// noRelay makes all transports to the relay fail for the same reason.
func noRelay(r *report.Report, fault string) {
	*turn(r) = report.NATTURN{
		Transports: new(3), UDPAllocated: new(false), TCPAllocated: new(false), TLSAllocated: new(false),
		UDPError: fault, TCPError: fault, TLSError: fault,
	}
}

// hangs makes the server accept the connection and then send nothing.
func hangs(r *report.Report) {
	*web(r) = report.NetworkWeb{Stage: "tcp", Online: new(true), DNSMS: new(12.0), TCPMS: new(20.0)}
}

// upLoss sets an upstream loss of the voice of 20 %.
func upLoss(r *report.Report) {
	voice(r).UpReceived, voice(r).UpLossPct, voice(r).UpLossCI95 = new(240), new(20.0), &report.Interval{15.9, 24.9}
}

// capture replaces the microphone's data with a capture that ended in state.
func capture(r *report.Report, state report.CaptureState) {
	*input(r) = report.AudioInput{State: state}
}

// media replaces the voice stream with one that ended in state.
func media(r *report.Report, state report.MediaState) {
	*voice(r) = report.MediaVoice{State: state}
}

// noReflector makes the reflector unreachable without any indication why.
func noReflector(r *report.Report) {
	*nat(r) = report.NAT{UDP: report.ReachServerSilent, TCP: report.ReachServerSilent}
	noRelay(r, "unreachable")
	media(r, report.MediaNoSignalling)
}

// silence removes all signs of a voice from a complete capture.
func silence(r *report.Report, rms float64) {
	in := input(r)
	in.SpeechMS, in.ActiveLevelDBFS, in.ActivityPct = new(0.0), new(-100.0), new(0.0)
	in.RMSDBFS, in.PeakDBFS, in.TruePeakDBTP = new(rms), new(rms+10), new(rms+10)
	in.SNRDB, in.BandRatioDB, in.BandwidthHz = nil, nil, nil
}

// zeros is the data of a muted device.
func zeros(r *report.Report) {
	silence(r, -120)
	input(r).AllZero, input(r).DigitalZeroMS, input(r).NoiseFloorDBFS = new(true), new(6000.0), nil
}

func stereo(r *report.Report, left, right, correlation float64) {
	in := input(r)
	in.NativeChannels, in.LeftRMSDBFS, in.RightRMSDBFS = new(2), new(left), new(right)
	in.ChannelBalanceDB, in.ChannelCorrelation = new(left-right), new(correlation)
}

// provocations contains for each code of the catalogue a fault that, applied to a
// healthy report, must make it the primary cause.
func provocations() map[string]func(*report.Report) {
	return map[string]func(*report.Report){
		"audio.no_user_session":    func(r *report.Report) { capture(r, report.CaptureNoSession) },
		"audio.no_server":          func(r *report.Report) { capture(r, report.CaptureNoServer) },
		"audio.no_microphone":      func(r *report.Report) { capture(r, report.CaptureNoDevice) },
		"audio.default_is_monitor": func(r *report.Report) { input(r).IsMonitor = new(true); zeros(r) },
		"audio.privacy_blocked":    func(r *report.Report) { capture(r, report.CaptureRefused) },
		"audio.in_use":             func(r *report.Report) { capture(r, report.CaptureInUse) },
		"audio.os_muted":           func(r *report.Report) { zeros(r); input(r).OSMuted = new(true) },
		"audio.os_volume_low": func(r *report.Report) {
			input(r).OSVolumeDB, input(r).ActiveLevelDBFS, input(r).SNRDB = new(-60.0), new(-71.0), new(9.0)
		},
		"audio.stalled": func(r *report.Report) { input(r).State = report.CaptureStalled; input(r).Dropouts = new(3) },
		"host.device_unplugged": func(r *report.Report) {
			input(r).State, input(r).Unplugged, input(r).MovedAfterMS = report.CaptureStalled, new(true), new(3000.0)
		},
		"audio.browser_blocked": func(r *report.Report) {
			r.Target = "https://bbb.example.org"
			visited(r, report.ProbeBBB, &report.Conference{URLHost: "bbb.example.org", Reachable: new(true)})
			input(r).BlockedBrowsers = "Chrome, Edge"
		},
		"audio.not_default": func(r *report.Report) {
			input(r).IsDefault, input(r).DefaultDevice, input(r).DefaultHeard = new(false), "Webcam", new(false)
		},
		"audio.rerouted": func(r *report.Report) { input(r).Rerouted, input(r).LongestCallbackGapMS = new(true), new(900.0) },
		"audio.wrong_device": func(r *report.Report) {
			silence(r, -58)
			input(r).VoiceDevice, input(r).VoiceDeviceLevelDBFS, input(r).OthersListened = "USB Headset", new(-24.0), new(1)
		},
		"audio.digital_silence": zeros,
		"audio.bluetooth_handsfree": func(r *report.Report) {
			input(r).IsBluetooth, input(r).NativeRateHz, input(r).BandRatioDB = new(true), new(8000), new(-49.0)
		},
		"audio.narrowband": func(r *report.Report) { input(r).BandRatioDB = new(-49.0) },
		"audio.clipped": func(r *report.Report) {
			input(r).ClippedRuns, input(r).ClippedPct = new(40), new(1.4)
			input(r).ActiveLevelDBFS, input(r).TruePeakDBTP = new(-10.0), new(0.3)
		},
		"audio.clipped_upstream": func(r *report.Report) { input(r).ClippedUpstreamRuns = new(30) },
		"audio.no_speech":        func(r *report.Report) { silence(r, -58) },
		"audio.too_quiet":        func(r *report.Report) { input(r).ActiveLevelDBFS, input(r).SNRDB = new(-52.0), new(12.0) },
		"audio.too_loud":         func(r *report.Report) { input(r).ActiveLevelDBFS = new(-12.0) },
		"audio.hum": func(r *report.Report) {
			in := input(r)
			in.HumHz, in.HumDBFS, in.HumProminenceDB = new(50.0), new(-34.0), new(31.0)
			in.NoiseFloorDBFS, in.SNRDB = new(-33.0), new(9.0)
		},
		"audio.noise":             func(r *report.Report) { input(r).NoiseFloorDBFS, input(r).SNRDB = new(-31.0), new(7.0) },
		"audio.inverted_channel":  func(r *report.Report) { stereo(r, -25, -25, -0.995) },
		"audio.dead_channel":      func(r *report.Report) { stereo(r, -25, -96, 0.02) },
		"audio.dropouts":          func(r *report.Report) { input(r).Dropouts, input(r).RateErrorPct = new(3), new(-4.0) },
		"audio.sample_rate_wrong": func(r *report.Report) { input(r).RateErrorPct = new(-8.1) },
		"audio.dc_offset":         func(r *report.Report) { input(r).DCOffset = new(-0.05) },
		"audio.speaker_silent":    func(r *report.Report) { output(r).LoopHeard = new(false) },
		"audio.echo":              func(r *report.Report) { output(r).EchoReturnDB = new(-2.0) },

		"net.offline": func(r *report.Report) { *web(r) = report.NetworkWeb{Online: new(false)}; noReflector(r) },
		"net.captive_portal": func(r *report.Report) {
			*web(r) = report.NetworkWeb{Stage: "http", Online: new(true), CaptivePortal: new(true), HTTPStatus: new(200)}
			noReflector(r)
		},
		"net.dns_failure": func(r *report.Report) {
			*web(r) = report.NetworkWeb{Online: new(true), DNSError: "timeout"}
			noReflector(r)
		},
		"net.proxy_required": func(r *report.Report) {
			*web(r) = report.NetworkWeb{Stage: "tcp", Online: new(true), Proxy: "http", HTTPStatus: new(407)}
			noReflector(r)
		},
		"net.proxy_failed": func(r *report.Report) {
			*web(r) = report.NetworkWeb{Stage: "dns", Online: new(true), Proxy: "http", ProxyFault: "refused", BesideProxy: new(true)}
			noReflector(r)
		},
		"net.tls_intercepted": func(r *report.Report) { web(r).TLSIntercepted = new(true) },
		"net.clock_wrong":     func(r *report.Report) { web(r).ClockOffsetMS = new(-3_600_000.0) },
		"net.port_blocked": func(r *report.Report) {
			r.Target, *web(r) = "", report.NetworkWeb{Stage: "dns", DNSMS: new(12.0), Proxy: "none"}
			*nat(r), *turn(r) = report.NAT{UDP: report.ReachNotTested, TCP: report.ReachNotTested}, report.NATTURN{}
			media(r, report.MediaNoSignalling)
			path(r).Ports = []report.PathPort{{
				Name: "transit", Protocol: "tcp", Port: new(8443), Needed: new(true), Answer: "silent", Left: new(false),
			}}
		},
		"net.udp_blocked": func(r *report.Report) {
			nat(r).UDP = report.ReachBlocked
			voice(r).Path, voice(r).UpJitterMS = "relay tcp", new(60.0)
		},
		"net.upload_loss": func(r *report.Report) {
			voice(r).UpReceived, voice(r).UpLossPct, voice(r).UpLossCI95 = new(240), new(20.0), &report.Interval{15.9, 24.9}
		},
		"net.download_loss": func(r *report.Report) {
			voice(r).DownReceived, voice(r).DownLossPct, voice(r).DownLossCI95 = new(240), new(20.0), &report.Interval{15.9, 24.9}
		},
		"net.jitter_high":  func(r *report.Report) { voice(r).DownJitterMS, voice(r).Reordered = new(64.0), new(60) },
		"net.latency_high": func(r *report.Report) { voice(r).RTTP50MS = new(700.0) },
		"net.reordering":   func(r *report.Report) { voice(r).Reordered = new(60) },

		"net.wifi_weak": func(r *report.Report) {
			link(r).SignalDBM, link(r).GatewayLossPct, path(r).FaultSegment = new(-83.0), new(30.0), "lan"
			upLoss(r)
		},
		"net.lan_loss": func(r *report.Report) { path(r).FaultSegment, link(r).GatewayLossPct = "lan", new(30.0); upLoss(r) },
		"net.access_loss": func(r *report.Report) {
			path(r).FaultSegment = "access"
			upLoss(r)
			voice(r).DownLossPct, voice(r).DownLossCI95 = new(19.0), &report.Interval{15.0, 23.8}
		},
		"net.server_loss":        func(r *report.Report) { path(r).FaultSegment = "server" },
		"net.bandwidth_low_up":   func(r *report.Report) { load(r).UpKbps = new(300.0) },
		"net.bandwidth_low_down": func(r *report.Report) { load(r).DownKbps = new(600.0) },
		"net.bufferbloat":        func(r *report.Report) { load(r).LoadedRTTUpMS = new(900.0) },
		"net.websocket_blocked":  func(r *report.Report) { web(r).WebSocket = new(false) },
		"net.ipv6_broken":        func(r *report.Report) { link(r).IPv6Reached = new(false) },
		"net.dns_slow":           func(r *report.Report) { web(r).DNSMS = new(2600.0) },
		"net.nat_symmetric": func(r *report.Report) {
			behavior(r).Mapping = "APDM"
			media(r, report.MediaICEFailed)
			noRelay(r, "other")
		},
		"net.nat_binding_short": func(r *report.Report) { behavior(r).BindingLifetimeS = new(9.5) },
		"net.vpn_active":        func(r *report.Report) { link(r).Kind, link(r).VPN = "vpn", new(true) },
		"net.cgnat":             func(r *report.Report) { behavior(r).CGNAT = new(true) },

		"net.mtu_blackhole": func(r *report.Report) {
			hangs(r)
			path(r).MTUBlackhole, path(r).MTUBy, path(r).MTUWorksBytes = new(true), "icmp", new(1300)
			media(r, report.MediaNoSignalling)
		},
		"net.turn_auth_failed": func(r *report.Report) { noRelay(r, "auth_failed"); media(r, report.MediaICEFailed) },
		"net.turn_unreachable": func(r *report.Report) { noRelay(r, "unreachable"); media(r, report.MediaICEFailed) },
		"net.turn_required": func(r *report.Report) {
			*turn(r) = report.NATTURN{Transports: new(0)}
			media(r, report.MediaICEFailed)
		},

		"host.cpu_overload": gapsAnd(report.HostLoad{CPUPct: new(98.0)}),
		"host.memory_low":   gapsAnd(report.HostLoad{MemoryFreeMB: new(120.0)}),
		"host.power_saving": gapsAnd(report.HostLoad{PowerSaving: new(true)}),
		"host.disk_full": func(r *report.Report) {
			r.Probes = append(r.Probes, result(report.ProbeHostLoad, &report.HostLoad{DiskFreeMB: new(40.0)}))
		},
		"host.bluescreen":          happened(report.EventBluescreen, ""),
		"host.unexpected_shutdown": happened(report.EventUnexpectedShutdown, ""),
		"host.out_of_memory":       happened(report.EventOutOfMemory, "Chrome"),
		"host.client_crashed":      happened(report.EventClientCrashed, "Zoom"),
		"host.client_hung":         happened(report.EventClientHung, "Zoom"),
		"host.gpu_reset":           happened(report.EventGPUReset, ""),
		"host.sound_crashed":       happened(report.EventSoundCrashed, ""),
		"host.sleep_resume":        happened(report.EventResume, ""),
		"host.wifi_dropped":        happened(report.EventWiFiDropped, ""),
		"host.connection_lost":     happened(report.EventConnectionLost, "Zoom"),
		"host.device_lost":         happened(report.EventDeviceUnplugged, ""),
		"host.restarted":           happened(report.EventRestarted, ""),

		"conf.muted_by_server": func(r *report.Report) {
			r.Target = "https://livekit.example.org"
			visited(r, report.ProbeLiveKit, &report.Conference{URLHost: "livekit.example.org", FailedStep: "sound_up", FailedCode: "muted_by_server"})
		},
		"conf.meeting_not_found": func(r *report.Report) {
			visited(r, report.ProbeBBB, &report.Conference{URLHost: "bbb.example.org", FailedStep: "sign_in", FailedCode: "meeting_not_found"})
		},
		"conf.version_old": func(r *report.Report) {
			visited(r, report.ProbeBBB, &report.Conference{URLHost: "bbb.example.org", Version: "2.7.3",
				Checks: []report.ConferenceCheck{{Name: report.StepState, Status: report.StatusUnknown, Code: "old_version"}}})
		},
		"conf.turn_denied": func(r *report.Report) {
			r.Target = "https://livekit.example.org"
			visited(r, report.ProbeLiveKit, &report.Conference{URLHost: "livekit.example.org", FailedStep: "relay", FailedCode: "denied"})
		},
		"conf.ingest_unreachable": func(r *report.Report) {
			visited(r, report.ProbeYouTube, &report.Conference{URLHost: "a.rtmps.example", FailedStep: "handshake", FailedCode: "not_rtmp"})
			load(r).UpKbps = new(20000.0)
		},
		"conf.ingest_uplink_low": func(r *report.Report) {
			visited(r, report.ProbeYouTube, &report.Conference{URLHost: "a.rtmps.example", Reachable: new(true)})
			load(r).UpKbps = new(5000.0)
		},
		"conf.server_error": func(r *report.Report) { web(r).ServerHealthy, web(r).HTTPStatus = new(false), new(503) },
		"conf.cert_invalid": func(r *report.Report) {
			*web(r) = report.NetworkWeb{Stage: "tcp", Online: new(true), TCPMS: new(20.0), TLSError: "wrong_name", CaptivePortal: new(false)}
		},
		"conf.server_down": func(r *report.Report) {
			*web(r) = report.NetworkWeb{Stage: "dns", Online: new(true), DNSMS: new(12.0)}
		},
		"conf.media_ports_blocked": func(r *report.Report) { r.Target, voice(r).Path = "", "relay udp" },
		"conf.tcp_only": func(r *report.Report) {
			visited(r, report.ProbeJanus, &report.Conference{URLHost: "bbb.example.org", Media: &report.MediaVoice{State: report.MediaComplete, Path: "prflx tcp"}})
		},
		"conf.media_not_flowing": func(r *report.Report) {
			visited(r, report.ProbeLiveKit, &report.Conference{URLHost: "bbb.example.org", FailedStep: "keys", FailedCode: "no_keys"})
		},
		"conf.ice_failed": func(r *report.Report) {
			visited(r, report.ProbeBBB, &report.Conference{URLHost: "bbb.example.org", FailedStep: "path", FailedCode: "no_path"})
		},
		"net.test_server_down": noReflector,
		"net.media_detour":     func(r *report.Report) { voice(r).Path = "host tcp" },
		"net.media_blocked": func(r *report.Report) {
			media(r, report.MediaNotFlowing)
			voice(r).Path, voice(r).UpReceived = "srflx udp", new(0)
			voice(r).UpLossPct, voice(r).UpLossCI95 = new(100.0), &report.Interval{98.7, 100}
		},
	}
}

// happened adds an event 20 minutes before the check.
func happened(kind report.HostEventKind, program string) func(*report.Report) {
	return func(r *report.Report) {
		r.Probes = append(r.Probes, result(report.ProbeHostCrash, &report.HostCrash{Events: []report.HostEvent{
			{At: startedAt().Add(-20 * time.Minute), Kind: kind, Program: program},
		}}))
	}
}

// gapsAnd adds gaps in the sound on a computer with this load.
func gapsAnd(load report.HostLoad) func(*report.Report) {
	return func(r *report.Report) {
		provocations()["audio.dropouts"](r)
		r.Probes = append(r.Probes, result(report.ProbeHostLoad, &load))
	}
}
