package bbb

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"regexp"
	"slices"
	"strings"
)

// About is what a server says of itself without a session.
type About struct {
	// Version is the version of BigBlueButton, or of its interface where the server gives
	// no other; "" if it gives none.
	Version string
	// GraphQL is true from 3.0 on.
	GraphQL bool
}

// errNotAPI is an answer that the interface of BigBlueButton does not give.
var errNotAPI = errors.New("not the interface of BigBlueButton")

var version = regexp.MustCompile(`^[0-9][A-Za-z0-9._-]{0,31}$`)

// response is the answer in both forms. bbbVersion may be empty.
type response struct {
	XMLName           xml.Name `json:"-" xml:"response"`
	ReturnCode        string   `json:"returncode" xml:"returncode"`
	Version           string   `json:"version" xml:"version"`
	APIVersion        string   `json:"apiVersion" xml:"apiVersion"`
	BBBVersion        string   `json:"bbbVersion" xml:"bbbVersion"`
	GraphQLWebSocket  string   `json:"graphqlWebsocketUrl" xml:"graphqlWebsocketUrl"`
	GraphQLAPIAddress string   `json:"graphqlApiUrl" xml:"graphqlApiUrl"`
}

// ParseAbout reads the answer of /bigbluebutton/api: XML, or from 3.0 on JSON.
func ParseAbout(body []byte) (About, error) {
	var r response
	if text := bytes.TrimSpace(body); bytes.HasPrefix(text, []byte("{")) {
		var outer struct {
			Response response `json:"response"`
		}
		if json.Unmarshal(text, &outer) != nil {
			return About{}, errNotAPI
		}
		r = outer.Response
	} else if xml.Unmarshal(text, &r) != nil {
		return About{}, errNotAPI
	}
	if r.ReturnCode != "SUCCESS" {
		return About{}, errNotAPI
	}
	about := About{GraphQL: r.GraphQLWebSocket != "" || r.GraphQLAPIAddress != ""}
	for _, text := range []string{r.BBBVersion, r.APIVersion, r.Version} {
		if text = strings.TrimSpace(text); about.Version == "" && version.MatchString(text) {
			about.Version = text
		}
	}
	return about, nil
}

// known reports whether the server tells its version: 2.0 is that of the interface of all
// 2.x and later.
func (a About) known() bool { return a.Version != "" && a.Version != "2.0" }

// beforeSFU reports whether this is a version whose client does not reach the sound over
// the SFU in this way: up to 2.4.
func (a About) beforeSFU() bool {
	return !a.GraphQL && slices.ContainsFunc([]string{"1.", "2.1", "2.2", "2.3", "2.4"}, func(old string) bool { return strings.HasPrefix(a.Version, old) })
}
