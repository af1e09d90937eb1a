// Package page draws the screens of the check: welcome, choice of microphone, check,
// verdict, details and fatal error. A page is a value. Its View is a pure function of the
// page and of the sheet.
package page

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"github.com/tonprobe/tonprobe/tui/style"
	"github.com/tonprobe/tonprobe/tui/words"
)

// Dimensions of a page in cells.
const (
	maxWidth   = 96 // longer lines are hard to read
	wideMargin = 3
	slimMargin = 1
	slimBelow  = 50 // narrower screens have the slim margin
	// On a screen of at least tallFrom lines there is a blank line above the head, and the
	// case code is drawn in its large form.
	tallFrom  = 34
	maxHeight = 38 // keys further down are overlooked
)

// Sheet describes the screen that a page is drawn on.
type Sheet struct {
	Width, Height int // of the screen, in cells
	Style         style.Set
	Words         words.Words
	// Scroll is the number of lines of a page above the visible part.
	Scroll int
	long   bool // the page fills the whole height
}

func (s Sheet) margin() int {
	if s.Width < slimBelow {
		return slimMargin
	}
	return max(wideMargin, (s.Width-maxWidth)/2)
}

// content returns the width between the margins.
func (s Sheet) content() int { return max(1, s.Width-2*s.margin()) }

func (s Sheet) tall() bool { return s.Height >= tallFrom }

// wrap breaks text into lines of at most width cells, within a word if necessary.
func wrap(text string, width int) string { return ansi.Wrap(text, max(1, width), "") }

// Block is one part of a page. Blocks are separated by a blank line.
type Block struct {
	Text string
	// Close omits the blank line before the block.
	Close bool
	// Spare is the priority for omitting the block on a small screen: 0 never, then
	// the highest first.
	Spare int
	// Pin keeps the block visible while the page scrolls; see window.
	Pin bool
}

// frame composes a page: head line, blocks, and the keys at the bottom.
func (s Sheet) frame(step string, blocks []Block, keys ...key.Binding) string {
	if !s.long {
		s.Height = min(s.Height, maxHeight)
	}
	blocks = withoutEmpty(blocks)
	head, foot := s.head(step), s.keys(keys)
	room := s.Height - lipgloss.Height(head) - lipgloss.Height(foot)
	body, fits := stack(blocks, room-1)
	if !fits {
		return s.window(blocks, foot)
	}
	return s.fit(head + "\n" + body + strings.Repeat("\n", max(1, room-lipgloss.Height(body)+1)) + foot)
}

func (s Sheet) head(step string) string {
	name := s.Style.Accent.Render(s.Words.T("app.name"))
	space := s.content() - lipgloss.Width(name) - lipgloss.Width(step)
	if space < 2 {
		return name
	}
	line := name + strings.Repeat(" ", space) + s.Style.Quiet.Render(step)
	rule := s.Style.Quiet.Render(strings.Repeat("─", s.content()))
	if s.tall() {
		return "\n" + line + "\n" + rule
	}
	return line + "\n" + rule
}

// withoutEmpty removes blocks that show nothing. A style adds its escape sequences to an empty
// text as well, and the block would take a line on a terminal with colours.
func withoutEmpty(blocks []Block) (shown []Block) {
	for _, b := range blocks {
		if ansi.StringWidth(b.Text) > 0 {
			shown = append(shown, b)
		}
	}
	return shown
}

// stack fits blocks into room lines. It omits in this order: two blank lines, the blocks with
// Spare 2 or higher, all blank lines from the bottom up, and the blocks with Spare 1. fits is
// false if that is not sufficient.
func stack(blocks []Block, room int) (body string, fits bool) {
	for {
		airy, dense := lipgloss.Height(join(blocks, len(blocks))), lipgloss.Height(join(blocks, 0))
		if airy-2 <= room && dense <= room {
			return join(blocks, room-dense), true
		}
		kept, dropped := withoutSpare(blocks, 2)
		if !dropped {
			break
		}
		blocks = kept
	}
	for {
		air := room - lipgloss.Height(join(blocks, 0))
		if air >= 0 {
			return join(blocks, air), true
		}
		kept, dropped := withoutSpare(blocks, 1)
		if !dropped {
			return "", false
		}
		blocks = kept
	}
}

// withoutSpare removes the block with the highest Spare of at least least; if there are
// several, the last one.
func withoutSpare(blocks []Block, least int) (kept []Block, dropped bool) {
	at := -1
	for i, b := range blocks {
		if b.Spare >= least && (at < 0 || b.Spare >= blocks[at].Spare) {
			at = i
		}
	}
	if at < 0 {
		return blocks, false
	}
	return append(append([]Block(nil), blocks[:at]...), blocks[at+1:]...), true
}

// join stacks blocks with at most air blank lines, which are placed between the upper
// blocks first, and above the first one last.
func join(blocks []Block, air int) string {
	var b strings.Builder
	for _, block := range blocks {
		if block.Text == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
			if !block.Close && air > 0 {
				b.WriteByte('\n')
				air--
			}
		}
		b.WriteString(block.Text)
	}
	if air > 0 {
		return "\n" + b.String()
	}
	return b.String()
}

// gaps returns the number of blank lines between blocks if all are present.
func gaps(blocks []Block) (n int) {
	for _, b := range blocks[1:] {
		if !b.Close {
			n++
		}
	}
	return n
}

// fit adds the margin and truncates lines that exceed the screen, because a line that the
// terminal wraps would destroy the layout.
func (s Sheet) fit(text string) string {
	lines := strings.Split(text, "\n")
	if len(lines) > s.Height {
		lines = lines[:max(0, s.Height)]
	}
	margin := strings.Repeat(" ", s.margin())
	for i, line := range lines {
		if line != "" {
			lines[i] = strings.TrimRight(ansi.Truncate(margin+line, s.Width, ""), " ")
		}
	}
	return strings.Join(lines, "\n")
}

// keys returns the available keys in as many lines as needed.
func (s Sheet) keys(bindings []key.Binding) string {
	var lines []string
	line, width := "", 0
	for _, k := range bindings {
		if !k.Enabled() {
			continue
		}
		h := k.Help()
		item := s.Style.Strong.Render("["+h.Key+"]") + " " + s.Style.Text.Render(h.Desc)
		w := lipgloss.Width(item)
		if line != "" && width+3+w > s.content() {
			lines, line, width = append(lines, line), "", 0
		}
		if line != "" {
			line, width = line+"   ", width+3
		}
		line, width = line+item, width+w
	}
	return strings.Join(append(lines, line), "\n")
}
