package page

import (
	"github.com/charmbracelet/bubbles/key"

	"github.com/tonprobe/tonprobe/tui/words"
)

// Keys are the key bindings of all pages, with names in the current language.
type Keys struct {
	Start, Confirm, Choose, Details, Repeat, Back, Scroll, Cancel, Quit key.Binding
	Loudspeaker, Switch, Listen, Settings, Disturbance, Own, Close      key.Binding
	// Yes and No answer a question, in both languages. Always is yes for good.
	Yes, No, Always key.Binding
	// Skip, Leave, Erase and Clear belong to the page with a text field, where letters are
	// input; Enrol returns to that page.
	Skip, Leave, Erase, Clear, Enrol key.Binding
	// Abort ends the program on every page and is never shown.
	Abort key.Binding
}

// NewKeys names the keys in the language of w. Letters also work with Caps Lock, which
// people often leave on.
func NewKeys(w words.Words) Keys {
	bind := func(name, what string, keys ...string) key.Binding {
		return key.NewBinding(key.WithKeys(keys...), key.WithHelp(name, w.T(what)))
	}
	enter := w.T("key.enter")
	arrows := w.T("key.arrows")
	// No letter moves the selection: j means yes (German "ja"), also on a request that replaces
	// the page.
	return Keys{
		Start:   bind(enter, "key.start", "enter"),
		Confirm: bind(enter, "key.confirm", "enter"),
		Choose:  bind(arrows, "key.choose", "up", "down"),
		Details: bind("d", "key.details", "d", "D"),
		Repeat:  bind("r", "key.repeat", "r", "R"),
		Back:    bind("d", "key.back", "d", "D", "esc", "left", "backspace"),
		Scroll:  bind(arrows, "key.scroll", "up", "down", "pgup", "pgdown"),
		Cancel:  bind("q", "key.cancel", "q", "Q"),
		Quit:    bind("q", "key.quit", "q", "Q"),

		Loudspeaker: bind("l", "key.loudspeaker", "l", "L"),
		Switch:      bind("w", "key.switch", "w", "W"),
		Settings:    bind("t", "key.settings", "t", "T"),
		Disturbance: bind("s", "key.disturbance", "s", "S"),
		Own:         bind("e", "key.own", "e", "E"),
		Close:       bind("Esc", "key.back", "esc", "left", "backspace", "e", "E"),
		Listen:      bind("p", "key.listen", "p", "P"),

		Yes:    bind(w.T("key.yes_letter"), "key.yes", "j", "J", "y", "Y"),
		No:     bind("n", "key.no", "n", "N"),
		Always: bind(w.T("key.always_letter"), "key.always", "i", "I", "a", "A"),
		Skip:   bind("Esc", "key.skip", "esc"),
		Leave:  bind(w.T("key.control")+"+C", "key.quit", "ctrl+c"),
		Erase:  key.NewBinding(key.WithKeys("backspace", "ctrl+h", "delete")),
		Clear:  key.NewBinding(key.WithKeys("ctrl+u")),
		Enrol:  bind("c", "key.enrol", "c", "C"),

		Abort: key.NewBinding(key.WithKeys("ctrl+c")),
	}
}
