package reflector

import (
	"errors"
	"strings"
	"testing"
)

// browserOffer is an offer of Chromium 140 with one microphone, shortened.
const browserOffer = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n" +
	"a=group:BUNDLE 0\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS stream\r\n" +
	"m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n" +
	"a=candidate:1 1 udp 2122260223 192.0.2.10 54321 typ host generation 0 network-id 1\r\n" +
	"a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\na=ice-options:trickle\r\n" +
	"a=fingerprint:sha-256 D1:2C:BE:AD:C4:F6:64:5C:25:16:11:9C:AF:E7:0F:73:79:36:4E:9C:1E:15:54:39:0C:06:8B:ED:96:86:00:39\r\n" +
	"a=setup:actpass\r\na=mid:0\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=sendrecv\r\n" +
	"a=msid:stream track\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n" +
	"a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:9 G722/8000\r\n" +
	"a=ssrc:3570614608 cname:4TOk42mSjXCkVIa6\r\na=ssrc:3570614608 msid:stream track\r\n"

func TestBrowserOfferIsAnswered(t *testing.T) {
	r := start(t)
	_, answer, err := r.Offer(t.Context(), "anna", browserOffer)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a=ice-lite", "a=rtpmap:111 opus/48000/2", "a=mid:0", "a=sendrecv", " udp ", "tcptype passive", "a=end-of-candidates"} {
		if !strings.Contains(answer, want) {
			t.Errorf("got no %q in\n%s", want, answer)
		}
	}
	for _, never := range []string{"transport-cc", "nack", "192.0.2.10"} {
		if strings.Contains(answer, never) {
			t.Errorf("got %q in\n%s", never, answer)
		}
	}
}

func TestBadOffers(t *testing.T) {
	r := start(t)
	replace := func(old, new string) string {
		if !strings.Contains(browserOffer, old) {
			t.Fatalf("the offer has no %q", old)
		}
		return strings.ReplaceAll(browserOffer, old, new)
	}
	for name, offer := range map[string]string{
		"empty":           "",
		"json":            `{"sdp":""}`,
		"oversize":        browserOffer + strings.Repeat("a=x\r\n", MaxOfferBytes),
		"no media":        browserOffer[:strings.Index(browserOffer, "m=audio")],
		"two lines":       browserOffer + browserOffer[strings.Index(browserOffer, "m=audio"):],
		"video":           replace("m=audio", "m=video"),
		"rejected":        replace("m=audio 9", "m=audio 0"),
		"no opus":         replace("opus/48000/2", "PCMU/8000"),
		"static type":     replace("a=rtpmap:111 opus", "a=rtpmap:1 opus"),
		"type too high":   replace("a=rtpmap:111 opus", "a=rtpmap:300 opus"),
		"no fingerprint":  replace("a=fingerprint:sha-256", "a=x:"),
		"md5 fingerprint": replace("sha-256", "md5"),
		"cut fingerprint": replace(":96:86:00:39", ""),
		"no ufrag":        replace("a=ice-ufrag:EsAw", "a=x"),
		"short ufrag":     replace("EsAw", "Es"),
		"foreign ufrag":   replace("EsAw", "Es:w"),
		"short password":  replace("P2uYro0UCOQ4zxjKXaWCBui1", "short"),
		"long password":   replace("P2uYro0UCOQ4zxjKXaWCBui1", strings.Repeat("a", 300)),
		"html mid":        replace("a=mid:0", "a=mid:<script>"),
		"odd setup":       replace("actpass", "holdconn"),
		"ssrc no number":  replace("a=ssrc:3570614608", "a=ssrc:x"),
		"ssrc too high":   replace("3570614608", "99999999999"),
		"both lite":       replace("a=group:BUNDLE 0", "a=ice-lite"),
		"control bytes":   replace("a=mid:0", "a=mid:\x00\x01"),
		"right to left":   replace("a=mid:0", "a=mid:\u202e0"),
	} {
		if _, _, err := r.Offer(t.Context(), "anna", offer); !errors.Is(err, ErrBadOffer) {
			t.Errorf("%s: got error %v, want ErrBadOffer", name, err)
		}
	}
	if s := r.Stats(); s.SessionsOpen != 0 || s.OffersRefused == 0 {
		t.Errorf("got %+v, want no session and a refused offer", s)
	}
}

// FuzzOffer passes offers that parseOffer accepts to the complete WebRTC stack, which
// must be able to answer them.
func FuzzOffer(f *testing.F) {
	f.Add(browserOffer)
	f.Add(strings.ReplaceAll(browserOffer, "\r\n", "\n"))
	f.Add("v=0\r\nm=audio 9 X 1\r\n")
	f.Add(strings.ReplaceAll(browserOffer, "actpass", "active"))
	f.Add(strings.ReplaceAll(browserOffer, "a=mid:0", ""))
	r := start(f, func(c *Config) { c.Limits.SessionsPerOwner = 100 })
	f.Fuzz(func(t *testing.T, text string) {
		id, answer, err := r.Offer(t.Context(), "fuzz", text)
		switch {
		case errors.Is(err, ErrBadOffer), errors.Is(err, ErrBusy):
			return
		case err != nil:
			t.Fatalf("got error %v for\n%s\nwant none", err, text)
		}
		if !strings.Contains(answer, "a=candidate:") {
			t.Errorf("got no candidates in\n%s", answer)
		}
		if _, err := r.End("fuzz", id); err != nil {
			t.Error(err)
		}
	})
}
