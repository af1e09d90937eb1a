package peer

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/pion/transport/v4/stdnet"

	"github.com/tonprobe/tonprobe/probe"
)

// TestBounded: the number of addresses taken from a description is limited.
func TestBounded(t *testing.T) {
	line := "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
	got, err := bounded("v=0\r\n" + strings.Repeat(line, 1000) + "a=end-of-candidates\r\n")
	if err != nil || strings.Count(got, line) != maxCandidates || !strings.HasPrefix(got, "v=0\r\n") || !strings.HasSuffix(got, "a=end-of-candidates\r\n") {
		t.Errorf("got %d addresses, error %v", strings.Count(got, line), err)
	}
	if _, err := bounded(strings.Repeat("a=x\r\n", 20000)); !errors.Is(err, ErrAnswer) {
		t.Errorf("a huge description: got error %v, want %v", err, ErrAnswer)
	}
}

const answer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-lite\r\n" +
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n" +
	"a=ice-ufrag:abcdefgh\r\na=ice-pwd:abcdefghabcdefghabcdefgh\r\na=setup:passive\r\n" +
	"a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n" +
	"a=ssrc:1 cname:x\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n"

// FuzzDescriptions: any answer or offer of a server is either applied or refused.
func FuzzDescriptions(f *testing.F) {
	f.Add(answer)
	f.Add(strings.ReplaceAll(answer, "audio", "video"))
	f.Add(strings.ReplaceAll(answer, "setup:passive", "setup:actpass"))
	f.Add(strings.Repeat("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", 20))
	f.Add("v=0\r\n")
	f.Add("")
	n, err := stdnet.NewNet()
	if err != nil {
		f.Fatal(err)
	}
	env := probe.Env{Clock: probe.SystemClock{}, Net: n, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler), Progress: func(probe.Event) {}}
	at := &url.URL{Scheme: "https", Host: "localhost"}
	f.Fuzz(func(t *testing.T, sdp string) {
		speaks, err := Open(env, Config{Server: at})
		if err != nil {
			t.Fatal(err)
		}
		defer speaks.Close()
		if _, err := speaks.Offer(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := speaks.Answer(sdp); err != nil && !errors.Is(err, ErrAnswer) {
			t.Errorf("answer: got error %v", err)
		}
		listens, err := Open(env, Config{Server: at, Listen: true})
		if err != nil {
			t.Fatal(err)
		}
		defer listens.Close()
		if _, err := listens.Accept(t.Context(), sdp); err != nil && !errors.Is(err, ErrAnswer) && !strings.Contains(err.Error(), "local description") {
			t.Errorf("offer: got error %v", err)
		}
	})
}
