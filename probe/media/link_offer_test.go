package media

import "testing"

func TestOfferNamesNoAddressOfThisMachine(t *testing.T) {
	const head = "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n"
	const near = "a=candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host\r\n" +
		"a=candidate:2 1 udp 2130706431 ::1 50001 typ host\r\n"
	const tail = "a=end-of-candidates\r\n"
	offer := head + near +
		"a=candidate:3 1 udp 2130706431 192.168.178.20 50002 typ host\r\n" +
		"a=candidate:4 1 udp 2130706431 10.8.0.6 50003 typ host\r\n" +
		"a=candidate:5 1 udp 2130706431 fd00::17 50004 typ host\r\n" +
		"a=candidate:6 1 udp 2130706431 fe80::1 50005 typ host\r\n" +
		"a=candidate:7 1 udp 2130706431 2001:db8::1 50006 typ host\r\n" +
		"a=candidate:8 1 tcp 1671430143 192.168.178.20 9 typ host tcptype active\r\n" +
		"a=candidate:9 1 udp 1694498815 203.0.113.9 50007 typ srflx raddr 192.168.178.20 rport 50002\r\n" +
		"a=candidate:10 1 udp 16777215 198.51.100.3 50008 typ relay raddr 10.8.0.6 rport 50003\r\n" +
		"a=candidate:11 1 udp 16777215 127.0.0.1 50009 typ relay raddr 192.168.178.20 rport 50003\r\n" +
		"a=candidate:12 1 udp 2130706431 anna-laptop.local 50010 typ host\r\n" +
		"a=candidate:\r\n" + tail
	if got, want := withoutAddresses(offer), head+near+tail; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
