package proxy

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"
)

func parse(t testing.TB, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// written formats a list of proxies.
func written(proxies []*url.URL) string {
	var all []string
	for _, w := range proxies {
		if w == nil {
			all = append(all, "direct")
		} else {
			all = append(all, w.String())
		}
	}
	return strings.Join(all, " ")
}

const gnomeManual = `org.gnome.system.proxy autoconfig-url ''
org.gnome.system.proxy ignore-hosts ['localhost', '127.0.0.0/8', '::1', '*.rathaus.example', 'intern.example']
org.gnome.system.proxy mode 'manual'
org.gnome.system.proxy use-same-proxy true
org.gnome.system.proxy.ftp host ''
org.gnome.system.proxy.ftp port 0
org.gnome.system.proxy.http authentication-password 'it\'s'
org.gnome.system.proxy.http authentication-user 'anna'
org.gnome.system.proxy.http enabled true
org.gnome.system.proxy.http host 'proxy.example'
org.gnome.system.proxy.http port 3128
org.gnome.system.proxy.http use-authentication true
org.gnome.system.proxy.https host 'secure.example'
org.gnome.system.proxy.https port 3129
org.gnome.system.proxy.socks host 'socks.example'
org.gnome.system.proxy.socks port 1080
`

const scutilFull = `<dictionary> {
  ExceptionsList : <array> {
    0 : *.local
    1 : 169.254/16
  }
  ExcludeSimpleHostnames : 1
  FTPPassive : 1
  HTTPEnable : 1
  HTTPPort : 8080
  HTTPProxy : proxy.example
  HTTPSEnable : 1
  HTTPSPort : 8443
  HTTPSProxy : 2001:db8::1
  SOCKSEnable : 0
  SOCKSPort : 1080
  SOCKSProxy : old.example
  __SCOPED__ : <dictionary> {
    en0 : <dictionary> {
      HTTPProxy : wrong.example
      ProxyAutoConfigEnable : 1
    }
  }
}
`

func TestSettingsOfEverySystem(t *testing.T) {
	windows := func(server, override string) Settings {
		return internetSettings{ProxyEnable: true, ProxyServer: server, ProxyOverride: override}.settings()
	}
	gnome, mac := parseGNOME(gnomeManual), parseScutil(scutilFull)
	for name, c := range map[string]struct {
		settings Settings
		to, want string
	}{
		"GNOME http":                          {gnome, "http://a.example/", "http://anna:it%27s@proxy.example:3128"},
		"GNOME https":                         {gnome, "https://a.example/", "http://secure.example:3129"},
		"GNOME ignores a pattern":             {gnome, "https://x.rathaus.example/", "direct"},
		"GNOME ignores a name":                {gnome, "https://intern.example/", "direct"},
		"GNOME ignores what is below it":      {gnome, "https://a.intern.example/", "direct"},
		"GNOME does not ignore a longer name": {gnome, "https://notintern.example/", "http://secure.example:3129"},
		"GNOME ignores a network":             {gnome, "https://127.9.9.9/", "direct"},
		"GNOME none":                          {parseGNOME(strings.Replace(gnomeManual, "'manual'", "'none'", 1)), "http://a.example/", "direct"},
		"GNOME half set":                      {parseGNOME("org.gnome.system.proxy mode 'manual'\norg.gnome.system.proxy.http host 'x'\norg.gnome.system.proxy.http port 0\n"), "http://a.example/", "direct"},
		"macOS http":                          {mac, "http://a.example/", "http://proxy.example:8080"},
		"macOS https, IPv6":                   {mac, "https://a.example/", "http://[2001:db8::1]:8443"},
		"macOS exception":                     {mac, "https://drucker.local/", "direct"},
		"macOS short network":                 {mac, "https://169.254.7.7/", "direct"},
		"macOS simple name":                   {mac, "https://drucker/", "direct"},
		"macOS none":                          {parseScutil("<dictionary> {\n  FTPPassive : 1\n}\n"), "https://a.example/", "direct"},
		"macOS SOCKS alone":                   {parseScutil("<dictionary> {\n  SOCKSEnable : 1\n  SOCKSPort : 1080\n  SOCKSProxy : s.example\n}\n"), "https://a.example/", "socks5://s.example:1080"},
		"Windows one for all":                 {windows("proxy:8080", ""), "https://a.example/", "http://proxy:8080"},
		"Windows by scheme":                   {windows("http=a:80;https=b:81;socks=c:1080", ""), "https://a.example/", "http://b:81"},
		"Windows SOCKS for the rest":          {windows("http=a:80 socks=c:1080", ""), "https://a.example/", "socks5://c:1080"},
		"Windows with a scheme":               {windows("http://proxy.example:8080", ""), "http://a.example/", "http://proxy.example:8080"},
		"Windows <local>":                     {windows("p:1", "*.example.org;10.*;<local>"), "https://rathaus/", "direct"},
		"Windows <local> is no domain":        {windows("p:1", "<local>"), "https://rat.haus/", "http://p:1"},
		"Windows pattern":                     {windows("p:1", "*.example.org;10.*;<local>"), "https://10.1.2.3/", "direct"},
		"Windows pattern with scheme":         {windows("p:1", "http://a.example"), "https://a.example/", "http://p:1"},
		"Windows pattern with port":           {windows("p:1", "a.example:8443"), "https://a.example:8443/", "direct"},
		"Windows pattern with other port":     {windows("p:1", "a.example:8443"), "https://a.example/", "http://p:1"},
		"Windows switched off":                {internetSettings{ProxyServer: "p:1"}.settings(), "https://a.example/", "direct"},
		"WinHTTP":                             {parseWindows("http=a:80;https=b:81", "<local>"), "https://a.example/", "http://b:81"},
		"nonsense":                            {windows("http=;https=://;=;;;", ";;"), "https://a.example/", "direct"},
	} {
		if got := written(c.settings.choose(parse(t, c.to))); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	for name, s := range map[string]Settings{
		"GNOME":   parseGNOME("org.gnome.system.proxy mode 'auto'\norg.gnome.system.proxy autoconfig-url 'http://x.example/p.pac'\n"),
		"macOS":   parseScutil("<dictionary> {\n  ProxyAutoConfigEnable : 1\n  ProxyAutoConfigURLString : http://x.example/p.pac\n}\n"),
		"Windows": internetSettings{ProxyEnable: true, ProxyServer: "p:1", AutoConfigURL: "http://x.example/p.pac"}.settings(),
	} {
		if s.ScriptURL != "http://x.example/p.pac" || s.HTTP != nil {
			t.Errorf("%s: got %+v, want only the script", name, s)
		}
	}
}

func TestEnvironmentGoesFirst(t *testing.T) {
	system := func(context.Context) (Settings, error) {
		return Settings{HTTP: parse(t, "http://system:1"), HTTPS: parse(t, "http://system:1")}, nil
	}
	for name, c := range map[string]struct {
		env      map[string]string
		to, want string
	}{
		"nothing set":      {nil, "https://a.example/", "http://system:1"},
		"https":            {map[string]string{"HTTPS_PROXY": "http://env:2"}, "https://a.example/", "http://env:2"},
		"lower case":       {map[string]string{"https_proxy": "env:2"}, "https://a.example/", "http://env:2"},
		"all":              {map[string]string{"ALL_PROXY": "socks5://env:3"}, "https://a.example/", "socks5://env:3"},
		"excepted":         {map[string]string{"HTTPS_PROXY": "http://env:2", "NO_PROXY": ".example"}, "https://a.example/", "direct"},
		"the other scheme": {map[string]string{"HTTPS_PROXY": "http://env:2"}, "http://a.example/", "direct"},
		"mistyped":         {map[string]string{"HTTPS_PROXY": "http://%zz"}, "https://a.example/", "direct"},
		"this computer":    {map[string]string{"HTTPS_PROXY": "http://env:2"}, "https://127.0.0.1:8443/", "direct"},
		"by name":          {nil, "https://localhost/", "direct"},
	} {
		f := NewFinder(Config{Getenv: func(k string) string { return c.env[k] }, System: system})
		if got, err := f.Find(t.Context(), parse(t, c.to)); err != nil || written(got) != c.want {
			t.Errorf("%s: got %s, error %v; want %s", name, written(got), err, c.want)
		}
	}
}

// TestSettingsAreCached checks that not every request starts a program, and that a
// change takes effect within a minute.
func TestSettingsAreCached(t *testing.T) {
	now, reads := time.Unix(0, 0), 0
	f := NewFinder(Config{
		Getenv: func(string) string { return "" }, Now: func() time.Time { return now },
		System: func(context.Context) (Settings, error) {
			if reads++; reads > 1 {
				return Settings{}, errors.New("cannot read the settings")
			}
			return Settings{HTTPS: parse(t, "http://p:1")}, nil
		},
	})
	for range 3 {
		if got, err := f.Find(t.Context(), parse(t, "https://a.example/")); err != nil || written(got) != "http://p:1" || reads != 1 {
			t.Errorf("got %s, error %v after %d reads; want %s, 1", written(got), err, reads, "http://p:1")
		}
	}
	now = now.Add(keepFor + time.Second)
	if got, err := f.Find(t.Context(), parse(t, "https://a.example/")); err != nil || written(got) != "direct" || reads != 2 {
		t.Errorf("got %s, error %v after %d reads; want %s, 2", written(got), err, reads, "direct")
	}
}

func FuzzSettings(f *testing.F) {
	f.Add(gnomeManual, "http=a:80;https=b", "https://a.example/")
	f.Add(scutilFull, "*.x;10.*;<local>", "http://10.0.0.1:8/")
	f.Add("}}}\n{\n : {\n", "=", "x")
	f.Fuzz(func(_ *testing.T, text, servers, to string) {
		u, err := url.Parse(to)
		if err != nil {
			return
		}
		for _, s := range []Settings{parseGNOME(text), parseScutil(text), parseWindows(servers, text), parseWindows(text, servers)} {
			if len(s.choose(u)) == 0 {
				panic("no way at all")
			}
		}
	})
}
