package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// names is a resolver with a fixed table.
type names map[string][]string

func (n names) LookupNetIP(_ context.Context, _, name string) (addrs []netip.Addr, err error) {
	for _, a := range n[name] {
		addrs = append(addrs, netip.MustParseAddr(a))
	}
	if len(addrs) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return addrs, nil
}

// finder returns a Finder with source as the script of the system.
func finder(t testing.TB, source string) *Finder {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, source) }))
	t.Cleanup(s.Close)
	return finderAt(s.URL + "/proxy.pac")
}

func finderAt(at string) *Finder {
	return NewFinder(Config{
		Getenv:   func(string) string { return "" },
		System:   func(context.Context) (Settings, error) { return Settings{ScriptURL: at}, nil },
		Resolver: names{"host.example": {"2001:db8::7", "10.1.2.3"}, "six.example": {"2001:db8::6"}},
		Now:      func() time.Time { return time.Date(2026, 3, 4, 18, 30, 15, 0, time.UTC) }, // a Wednesday
	})
}

func TestScripts(t *testing.T) {
	for source, want := range map[string]string{
		`return "DIRECT"`: "direct",
		`return "PROXY a:8080; SOCKS b:1080; DIRECT"`:   "http://a:8080 socks5://b:1080 direct",
		`return "HTTPS s:443;HTTP h:3128 ; SOCKS5 v:1"`: "https://s:443 http://h:3128 socks5://v:1",
		`return ""`: "direct",
		`return "NONSENSE a:1; PROXY ; PROXY a b; ;;"`:                      "direct",
		`return "proxy [2001:db8::1]:8080"`:                                 "http://[2001:db8::1]:8080",
		`return host == "host.example" ? "PROXY p:1" : "DIRECT"`:            "http://p:1",
		`return "PROXY " + url.length + ":1"`:                               "http://" + fmt.Sprint(len("https://host.example/")) + ":1", // only the server is passed to the script
		`alert("x"); return /example$/.test(host) ? "PROXY r:1" : "DIRECT"`: "http://r:1",
	} {
		f := finder(t, "function FindProxyForURL(url, host) { "+source+" }")
		if got, err := f.Find(t.Context(), parse(t, "https://host.example/secret?token=1")); err != nil || written(got) != want {
			t.Errorf("%s: got %s, error %v; want %s", source, written(got), err, want)
		}
	}
}

// TestModernScripts: browsers run scripts in their own engine, so current scripts
// use more than ECMAScript 5.
func TestModernScripts(t *testing.T) {
	for name, c := range map[string]struct{ source, want string }{
		"let, const, arrow": {`const p = "p:1"; let way = h => h.endsWith(".example") ? "PROXY " + p : "DIRECT";
			function FindProxyForURL(url, host) { return way(host) }`, "http://p:1"},
		"template": {"function FindProxyForURL(url, host) { const n = 8; return `PROXY p:${n}0; DIRECT` }", "http://p:80 direct"},
		"includes, some, spread": {`function FindProxyForURL(url, host) {
			const inside = ["a.example", ...["host.example"]];
			return inside.includes(host) && inside.some(n => n.startsWith("host")) ? "PROXY p:1" : "DIRECT" }`, "http://p:1"},
		"destructuring, default": {`function FindProxyForURL(url, host, {a, b = 7} = {a: "p"}) { const [x] = [a]; return "PROXY " + x + ":" + b }`, "http://p:7"},
		"for of, Map, Set": {`function FindProxyForURL(url, host) {
			const m = new Map([["example", "PROXY p:1"]]); const s = new Set(host.split("."));
			for (const [k, v] of m) { if (s.has(k)) return v } return "DIRECT" }`, "http://p:1"},
		"class, optional chaining": {`class Way { constructor(p) { this.p = p } toString() { return "PROXY " + (this?.p ?? "none") } }
			function FindProxyForURL(url, host) { return String(new Way("p:1")) }`, "http://p:1"},
		"assigned to a var":          {`var FindProxyForURL = (url, host) => "PROXY p:1"`, "http://p:1"},
		"assigned to the global":     {`globalThis.FindProxyForURL = function (url, host) { return "PROXY p:1" }`, "http://p:1"},
		"regular expression, named":  {`function FindProxyForURL(url, host) { return /^(?<n>\w+)\.(?=example)/u.exec(host).groups.n === "host" ? "PROXY p:1" : "DIRECT" }`, "http://p:1"},
		"old: var, function, string": {`function FindProxyForURL(url, host) { var x = host.substring(0, 4); if (x == "host") { return "PROXY p:1"; } else { return "DIRECT"; } }`, "http://p:1"},
		"sloppy: undeclared":         {`function FindProxyForURL(url, host) { way = "PROXY p:1"; return way }`, "http://p:1"},
		"byte order mark":            {"\ufefffunction FindProxyForURL(url, host) { return 'PROXY p:1' }", "http://p:1"},
		"names that time out, twice": {`function FindProxyForURL(url, host) {
			for (let i = 0; i < 40; i++) if (isInNet("gone.example", "10.0.0.0", "255.0.0.0")) return "DIRECT";
			return "PROXY p:1" }`, "http://p:1"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := finder(t, c.source).Find(t.Context(), parse(t, "https://host.example/")); err != nil || written(got) != c.want {
				t.Errorf("got %s, error %v; want %s", written(got), err, c.want)
			}
		})
	}
}

// TestOldScripts: browsers accept more than the language specifies (ECMA-262 Annex
// B).
func TestOldScripts(t *testing.T) {
	for name, source := range map[string]string{
		"HTML comments": "<!-- hide from old browsers\nfunction FindProxyForURL(url, host) { return 'PROXY p:1' }\n  -->",
		"HTML comments around a script with a template": "<!--\nfunction FindProxyForURL(url, host) { return `PROXY p:1` }\n// -->",
		"no HTML comment, but a template":               "function FindProxyForURL(url, host) { return `\n-->`.length === 4 ? 'PROXY p:1' : 'DIRECT' }",
		"a function in a block":                         "function FindProxyForURL(url, host) { if (host) { function way() { return 'PROXY p:1' } } return way() }",
		"one of two":                                    "function FindProxyForURL(url, host) { if (host == 'x') { function way() { return 'DIRECT' } } else { function way() { return 'PROXY p:1' } } return way() }",
		"called in the block before":                    "function FindProxyForURL(url, host) { { var early = way(); function way() { return 'PROXY p:1' } } return way() == early ? early : 'DIRECT' }",
		"the function itself in a block":                "if (typeof FindProxyForURL == 'undefined') { function FindProxyForURL(url, host) { return 'PROXY p:1' } }",
		"in a function of a function":                   "var f = () => { try { function way() { return 'PROXY p:1' } } catch (e) {} return way() }; function FindProxyForURL(url, host) { return f() }",
		"in a case":                                     "function FindProxyForURL(url, host) { switch (1) { case 1: function way() { return 'PROXY p:1' } } return way() }",
		"calls itself":                                  "function FindProxyForURL(url, host) { { function way(n) { return n ? way(n - 1) : 'PROXY p:1' } } return way(3) }",
		"hidden by let":                                 "function FindProxyForURL(url, host) { let way = 'PROXY p:1'; { function way() {} } return way }",
		"a parameter keeps its name":                    "function f(way) { { function way() {} } return way } function FindProxyForURL(url, host) { { function g() { return f('PROXY p:1') } } return g() }",
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := finder(t, source).Find(t.Context(), parse(t, "https://host.example/")); err != nil || written(got) != "http://p:1" {
				t.Errorf("got %s, error %v; want http://p:1", written(got), err)
			}
		})
	}
}

// TestFunctions compares each function with Netscape's description and Microsoft's
// extension.
func TestFunctions(t *testing.T) {
	yes := []string{
		`isPlainHostName("www")`, `!isPlainHostName("www.example")`, `!isPlainHostName("::1")`,
		`dnsDomainIs("www.netscape.com", ".netscape.com")`, `!dnsDomainIs("www", ".netscape.com")`,
		`localHostOrDomainIs("www.netscape.com", "www.netscape.com")`, `localHostOrDomainIs("www", "www.netscape.com")`,
		`!localHostOrDomainIs("www.mcom.com", "www.netscape.com")`, `!localHostOrDomainIs("home.netscape.com", "www.netscape.com")`,
		`isResolvable("host.example")`, `!isResolvable("bogus.example")`, `!isResolvable("six.example")`, `isResolvableEx("six.example")`,
		`dnsResolve("host.example") === "10.1.2.3"`, `dnsResolve("bogus.example") === null`, `dnsResolve("192.0.2.1") === "192.0.2.1"`,
		`dnsResolveEx("host.example") === "2001:db8::7;10.1.2.3"`, `dnsResolveEx("bogus.example") === ""`,
		`isInNet("host.example", "10.1.0.0", "255.255.0.0")`, `!isInNet("host.example", "10.2.0.0", "255.255.0.0")`,
		`isInNet("198.95.249.79", "198.95.249.79", "255.255.255.255")`, `!isInNet("bogus.example", "0.0.0.0", "0.0.0.0")`,
		`!isInNet("host.example", "x", "y")`, `isInNetEx("2001:db8::9", "2001:db8::/32")`, `!isInNetEx("10.0.0.1", "2001:db8::/32")`,
		`dnsDomainLevels("www") === 0`, `dnsDomainLevels("www.netscape.com") === 2`,
		`shExpMatch("http://home.netscape.com/people/ari/index.html", "*/ari/*")`, `!shExpMatch("http://home.netscape.com/people/x", "*/ari/*")`,
		`shExpMatch("abc", "a?c")`, `!shExpMatch("abcd", "a?c")`,
		`/^[0-9.]+$/.test(myIpAddress())`, `convert_addr("104.16.41.2") === 1745889538`,
		`sortIpAddressList("10.2.3.9;2001:4898:28:3:201:2ff:feea:fc14;::1;127.0.0.1") === "::1;2001:4898:28:3:201:2ff:feea:fc14;10.2.3.9;127.0.0.1"`,
		`sortIpAddressList("x") === ""`,
		// It is Wednesday, 4 March 2026, 18:30:15 GMT.
		`weekdayRange("WED", "GMT")`, `weekdayRange("MON", "FRI", "GMT")`, `!weekdayRange("SAT", "SUN", "GMT")`,
		`weekdayRange("SAT", "WED", "GMT")`, `!weekdayRange("FRI", "MON", "GMT")`, `!weekdayRange("XYZ", "GMT")`,
		`dateRange(4, "GMT")`, `!dateRange(5, "GMT")`, `dateRange(1, 15, "GMT")`, `dateRange(24, 5, "GMT")`,
		`dateRange("MAR", "GMT")`, `dateRange("JAN", "MAR", "GMT")`, `dateRange("NOV", "APR", "GMT")`, `!dateRange("APR", "DEC", "GMT")`,
		`dateRange(2026, "GMT")`, `dateRange(2025, 2027, "GMT")`, `!dateRange(2027, 2030, "GMT")`,
		`dateRange(1, "JUN", 15, "AUG", "GMT") === false`, `dateRange(1, "MAR", 15, "AUG", "GMT")`, `dateRange(5, "FEB", 4, "MAR", "GMT")`,
		`dateRange(1, "JUN", 1995, 15, "AUG", 2026, "GMT")`, `dateRange("OCT", 2025, "MAR", 2026, "GMT")`, `!dateRange(4, "MAR", 5, "GMT")`,
		`timeRange(18, "GMT")`, `!timeRange(12, "GMT")`, `timeRange(17, 19, "GMT")`, `timeRange(22, 18, "GMT")`, `!timeRange(19, 17, "GMT")`,
		`timeRange(18, 30, 18, 31, "GMT")`, `!timeRange(18, 31, 19, 0, "GMT")`, `timeRange(18, 30, 15, 18, 30, 16, "GMT")`, `!timeRange("x", "GMT")`,
		`typeof weekdayRange("WED") === "boolean"`, `timeRange() === false`,
	}
	f := finder(t, "function FindProxyForURL() { var wrong = []; "+
		func() (s string) {
			for i, y := range yes {
				s += fmt.Sprintf("if (!(%s)) wrong.push(%d);\n", y, i)
			}
			return s
		}()+`; return "PROXY w" + wrong.join("-") + ":1"; }`)
	got, err := f.Find(t.Context(), parse(t, "https://host.example/"))
	if err != nil || written(got) != "http://w:1" {
		t.Errorf("the date fields are inconsistent: %s, error %v", written(got), err)
	}
}

// TestHostileScripts checks that each ends soon with an error.
func TestHostileScripts(t *testing.T) {
	in := func(body string) string { return "function FindProxyForURL(url, host) { " + body + " }" }
	half := maxScriptBytes / 2
	for name, source := range map[string]string{
		"empty":                "",
		"a web page":           "<!DOCTYPE html><html>Not found</html>",
		"half":                 "function FindProxyForURL(url, host) { return ",
		"another function":     "function FindProxy() { return 'DIRECT' }",
		"throws":               in(`throw "no"`),
		"throws on loading":    "throw 1; " + in(`return "DIRECT"`),
		"no text":              in(`return 7`),
		"nothing":              in(``),
		"10 MB":                strings.Repeat("// padding\n", 1<<20),
		"loops":                in(`for (;;) ;`),
		"loops on loading":     "while (true) {}",
		"calls itself":         in(`return FindProxyForURL(url, host)`),
		"doubles a text":       in(`var s = "x"; for (;;) s += s;`),
		"grows a list":         in(`var a = []; for (;;) a.push(new Array(1000).join("x"));`),
		"joins a huge list":    in(`return new Array(4294967295).join("xxxxxxxxxx")`),
		"sorts a huge list":    in(`return new Array(4294967295).sort().length`),
		"repeats":              in(`return "x".repeat(1 << 30)`),
		"fills a buffer":       in(`return new Uint8Array(1 << 30).length`),
		"pads":                 in(`return "x".padStart(1 << 30)`),
		"slow expression":      in(`return /^(a+)+$/.test(new Array(60).join("a") + "b")`),
		"catches all":          in(`for (;;) try { for (;;) ; } catch (e) {}`),
		"no address":           in(`return isResolvable({ toString: function () { for (;;) ; } })`),
		"constructs":           in(`return new (function () {}.constructor)("for (;;) ;")()`),
		"brackets":             strings.Repeat("(", half),
		"alternating brackets": strings.Repeat("[{a:", half/4),
		"not not":              strings.Repeat("!", half) + "1",
		"minus":                strings.Repeat("- ", half/2) + "1",
		"if if":                strings.Repeat("if(1)", half/5) + ";",
		"assigns":              strings.Repeat("x=", half/2) + "1",
		"either or":            strings.Repeat("a?b:", half/4) + "c",
		"arrows":               strings.Repeat("a=>", half/3) + "1",
		"new new":              strings.Repeat("new ", half/4) + "x",
		"adds":                 "var x=1" + strings.Repeat("+1", half/2),
		"only in a comment":    "<!-- function FindProxyForURL(url, host) { return 'DIRECT' }",
		"still not defined":    in(`{ function way() {} } return other()`),
		"deep and undefined":   in("return nowhere" + strings.Repeat("+1", half/4)),
		"declared with const":  "const FindProxyForURL = () => 'DIRECT'", // browsers do not find it either
		"generates endlessly":  in(`for (const x of (function* () { for (;;) yield 1 })()) ;`),
		"traps everything":     in(`return new Proxy({}, { get() { for (;;) ; } }).x`),
		"raises a big number":  in(`return (2n ** (2n ** 40n)).toString()`),
		"awaits endlessly":     in(`const f = async () => { for (;;) await 0 }; f(); return 7`),
		"reads a source map":   in(`return 7`) + "\n//# sourceMappingURL=/etc/passwd",
		"nested expression":    in(`return new RegExp(new Array(100000).join("(")).test("x")`),
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			f := finder(t, source)
			proxies, err := f.Find(ctx, parse(t, "https://host.example/"))
			if !errors.Is(err, ErrScript) {
				t.Errorf("got %s, error %v; want %v", written(proxies), err, ErrScript)
			}
		})
	}
}

// TestLargeScriptIsReadSlowly: the beginning is read at once, the rest at a limited rate, and
// the largest script within the time for it.
func TestLargeScriptIsReadSlowly(t *testing.T) {
	for size, want := range map[int]time.Duration{
		20_000:                       0,
		atOnceBytes:                  0,
		atOnceBytes + bytesPerSecond: time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			b, err := readLimited(&paced{ctx: t.Context(), from: strings.NewReader(strings.Repeat("x", size))})
			if took := time.Since(start); err != nil || len(b) != size || took != want {
				t.Errorf("%d bytes: got %d bytes in %v, error %v; want %v", size, len(b), took, err, want)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), fetchTime)
		defer cancel()
		_, err := readLimited(&paced{ctx: ctx, from: strings.NewReader(strings.Repeat("x", 2<<20))})
		if err == nil || ctx.Err() != nil {
			t.Errorf("got error %v, want one because of the size, within the time", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := readLimited(&paced{ctx: ctx, from: strings.NewReader(strings.Repeat("x", 2<<20))})
		if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took != time.Second {
			t.Errorf("got error %v after %v, want the end of the context", err, took)
		}
	})
}

func TestScriptThatCannotBeFetched(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "a b.pac")
	if err := os.WriteFile(good, []byte("// f\xfcr alle\nfunction FindProxyForURL() { return 'PROXY p:1' }"), 0o600); err != nil {
		t.Fatal(err)
	}
	u := url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(filepath.ToSlash(good), "/")} // file:///C:/a%20b.pac
	if got, err := finderAt(u.String()).Find(t.Context(), parse(t, "https://host.example/")); err != nil || written(got) != "http://p:1" {
		t.Errorf("a file: got %s, error %v; want %s", written(got), err, "http://p:1")
	}
	missing := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(missing.Close)
	circle := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }))
	t.Cleanup(circle.Close)
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	}))
	t.Cleanup(endless.Close)
	for at, want := range map[string]error{missing.URL: ErrScriptMissing, circle.URL: ErrScriptMissing, "file://" + dir: ErrScriptMissing, "http://127.0.0.1:1/": ErrScriptUnreached} {
		if _, err := finderAt(at).Find(t.Context(), parse(t, "https://host.example/")); !errors.Is(err, want) {
			t.Errorf("%s: got error %v, want %v", at, err, want)
		}
	}
	for _, at := range []string{missing.URL, circle.URL, endless.URL, "http://127.0.0.1:1/", "file://" + dir, "file:///dev/zero", "gopher://x/", "::", "javascript:1"} {
		if got, err := finderAt(at).Find(t.Context(), parse(t, "https://host.example/")); !errors.Is(err, ErrScript) {
			t.Errorf("%s: got %s, error %v; want %v", at, written(got), err, ErrScript)
		}
	}
}

func FuzzResult(f *testing.F) {
	for _, s := range []string{"DIRECT", "PROXY a:1; SOCKS b:2; DIRECT", "PROXY [::1]:8", ";;;", "HTTPS \x00", "proxy a@b:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		all := parseResult(s)
		if len(all) == 0 || len(all) > maxChoices {
			t.Fatalf("got %d proxies; want non-zero, at most %d", len(all), maxChoices)
		}
		for _, p := range all {
			if p != nil && (p.Hostname() == "" || p.User != nil) {
				t.Fatalf("got proxy %q, want a host and no user", p)
			}
		}
	})
}

// TestMain makes the test binary usable as the child.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == ChildArg {
		os.Exit(ChildMain(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// TestProgramWithoutChildMain: such a child yields no result and starts no
// children.
func TestProgramWithoutChildMain(t *testing.T) {
	for name, path := range map[string]string{"silent": "/bin/true", "not there": "/nonexistent", "mirror": "/bin/cat"} {
		f := finder(t, "x")
		f.Child = func(ctx context.Context) (*exec.Cmd, error) { return exec.CommandContext(ctx, path), nil }
		if _, err := f.Find(t.Context(), parse(t, "https://host.example/")); !errors.Is(err, ErrScript) {
			t.Errorf("%s: got error %v, want %v", name, err, ErrScript)
		}
	}
	t.Setenv(childMark, "1")
	if _, err := finder(t, "function FindProxyForURL() { return 'DIRECT' }").Find(t.Context(), parse(t, "https://host.example/")); !errors.Is(err, ErrScript) {
		t.Errorf("the child started a child: %v", err)
	}
}

// TestFailureIsRemembered checks that a failure is cached like a result: a looping
// script takes its whole time on each evaluation.
func TestFailureIsRemembered(t *testing.T) {
	f := finder(t, "function FindProxyForURL() { throw 1 }")
	children := 0
	f.Child = func(ctx context.Context) (*exec.Cmd, error) { children++; return ownProgram(ctx) }
	for range 3 {
		if _, err := f.Find(t.Context(), parse(t, "https://host.example/")); !errors.Is(err, ErrScript) {
			t.Errorf("got error %v, want %v", err, ErrScript)
		}
	}
	if children != 1 {
		t.Errorf("got %d children, want 1", children)
	}
}

// TestEvaluationsDoNotWait: while a script is evaluated for one caller, another one gets its result.
func TestEvaluationsDoNotWait(t *testing.T) {
	f := finder(t, `function FindProxyForURL(url, host) { return "PROXY " + host + ":1" }`)
	var children atomic.Int32
	begun, end := make(chan struct{}), make(chan struct{})
	f.Child = func(ctx context.Context) (*exec.Cmd, error) {
		if children.Add(1) == 1 {
			close(begun)
			<-end
		}
		return ownProgram(ctx)
	}
	first := make(chan error, 1)
	go func() {
		_, err := f.Find(t.Context(), parse(t, "https://one.example/"))
		first <- err
	}()
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // of a wait that does not end
	defer cancel()
	_, err := f.Find(ctx, parse(t, "https://two.example/"))
	close(end)
	if err != nil {
		t.Error(err)
	}
	// The first one held its child for as long as the second one took.
	if err := <-first; err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestTooManyLookups(t *testing.T) {
	f := finder(t, "function FindProxyForURL() { for (var i = 0; ; i++) isResolvable('x' + i); }")
	if _, err := f.Find(t.Context(), parse(t, "https://host.example/")); !errors.Is(err, ErrScript) || !strings.Contains(err.Error(), "too many") {
		t.Errorf("got error %v; want %v with %q", err, ErrScript, "too many")
	}
}
