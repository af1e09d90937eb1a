package proxy

import (
	"net/url"

	"golang.org/x/net/http/httpproxy"
)

// environment is what the variables say that curl and many others read.
type environment struct{ httpproxy.Config }

func fromEnvironment(getenv func(string) string) environment {
	either := func(names ...string) string {
		for _, name := range names {
			if v := getenv(name); v != "" {
				return v
			}
		}
		return ""
	}
	// ALL_PROXY stands in for both, as for curl.
	return environment{httpproxy.Config{
		HTTPProxy:  either("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"),
		HTTPSProxy: either("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"),
		NoProxy:    either("NO_PROXY", "no_proxy"),
	}}
}

func (e environment) set() bool { return e.HTTPProxy != "" || e.HTTPSProxy != "" }

// choose takes a variable that cannot be read for none: one mistyped word must
// not keep a report from its collector.
func (e environment) choose(u *url.URL) ([]*url.URL, error) {
	p, err := e.ProxyFunc()(u)
	if err != nil {
		return []*url.URL{nil}, nil
	}
	return []*url.URL{p}, nil
}
