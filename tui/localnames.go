package tui

import (
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

// localNames contains the operating system's names of devices for the local screen. A report
// contains only the kind of such a device, because its name may include a person's name.
type localNames struct {
	mu    sync.Mutex
	known map[localField]string
}

type localField struct{ probe, field string }

// learn stores the device names of an event.
func (n *localNames) learn(e probe.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil {
		n.known = map[localField]string{}
	}
	for field, name := range e.Names {
		n.known[localField{e.Probe, field}] = name
	}
}

// in returns a copy of r for this machine's screen, with the device names as shown in the
// system's settings. The copy must not be sent or stored. Without such names in returns r
// itself.
func (n *localNames) in(r *report.Report) *report.Report {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.known) == 0 || r == nil {
		return r
	}
	c := *r
	c.Causes = slices.Clone(r.Causes)
	for i := range c.Causes {
		c.Causes[i].Evidence = slices.Clone(c.Causes[i].Evidence)
		for j, e := range c.Causes[i].Evidence {
			if name, ok := n.known[localField{e.Probe, e.Field}]; ok {
				c.Causes[i].Evidence[j].Value = name
			}
		}
	}
	c.Probes = slices.Clone(r.Probes)
	for i, p := range c.Probes {
		c.Probes[i].Data = n.data(p.Name, p.Data)
	}
	return &c
}

// jsonName returns the JSON name of a field.
func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// data returns a copy of d with the local names, or d itself if there are none.
func (n *localNames) data(probeName string, d report.Data) report.Data {
	v := reflect.ValueOf(d)
	if d == nil || v.Kind() != reflect.Pointer || v.IsNil() {
		return d
	}
	c := reflect.New(v.Type().Elem())
	c.Elem().Set(v.Elem())
	for i := range c.Elem().NumField() {
		field, value := jsonName(c.Type().Elem().Field(i)), c.Elem().Field(i)
		if name, ok := n.known[localField{probeName, field}]; ok && value.Kind() == reflect.String {
			value.SetString(name)
		}
	}
	return c.Interface().(report.Data)
}
