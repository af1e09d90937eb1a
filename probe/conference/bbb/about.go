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

// About is what a server reports without a session.
type About struct {
	// Version is the version of BigBlueButton, or that of its API if the server reports
	// no other; "" if it reports none.
	Version string
	// GraphQL is true from 3.0 on.
	GraphQL bool
}

// errNotAPI means that a response is not from the API of BigBlueButton.
var errNotAPI = errors.New("not the API of BigBlueButton")

var version = regexp.MustCompile(`^[0-9][A-Za-z0-9._-]{0,31}$`)

// response is the response in either format. bbbVersion may be empty.
type response struct {
	XMLName           xml.Name `json:"-" xml:"response"`
	ReturnCode        string   `json:"returncode" xml:"returncode"`
	Version           string   `json:"version" xml:"version"`
	APIVersion        string   `json:"apiVersion" xml:"apiVersion"`
	BBBVersion        string   `json:"bbbVersion" xml:"bbbVersion"`
	GraphQLWebSocket  string   `json:"graphqlWebsocketUrl" xml:"graphqlWebsocketUrl"`
	GraphQLAPIAddress string   `json:"graphqlApiUrl" xml:"graphqlApiUrl"`
}

// ParseAbout parses the response of /bigbluebutton/api: XML, or from 3.0 on JSON.
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

// known reports whether Version is that of the server: all servers from 2.0 on report 2.0
// as the version of the API.
func (a About) known() bool { return a.Version != "" && a.Version != "2.0" }

// beforeSFU reports whether the client of this version (up to 2.4) does not use the SFU
// for sound in the way that this check does.
func (a About) beforeSFU() bool {
	return !a.GraphQL && slices.ContainsFunc([]string{"1.", "2.1", "2.2", "2.3", "2.4"}, func(old string) bool { return strings.HasPrefix(a.Version, old) })
}
