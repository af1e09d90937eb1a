package tui

import (
	"cmp"
	"os"
	"strconv"
	"strings"
	"unicode/utf16"
	"unsafe"

	"golang.org/x/sys/windows"
)

// wineConsole interprets the escape sequences of the screens. The console of Wine 8 shows them as text,
// that of Windows 10 interprets them itself. .ci/wine adds this file to the package.
type wineConsole struct {
	*os.File
	handle windows.Handle
	colour uint16 // 0 for that of text
	bold   bool
}

// Attributes of characters.
const (
	wineText = 7
	wineBold = 15
)

var kernel32 = windows.NewLazySystemDLL("kernel32.dll")

func newWineConsole(f *os.File) *wineConsole {
	return &wineConsole{File: f, handle: windows.Handle(f.Fd())}
}

func (c *wineConsole) Write(b []byte) (int, error) {
	text := string(b)
	for text != "" {
		plain, rest, found := strings.Cut(text, "\x1b")
		c.print(plain)
		if !found {
			break
		}
		text = c.sequence(rest)
	}
	return len(b), nil
}

func (c *wineConsole) print(s string) {
	if units := utf16.Encode([]rune(s)); len(units) > 0 {
		var done uint32
		_ = windows.WriteConsole(c.handle, &units[0], uint32(len(units)), &done, nil)
	}
}

// sequence interprets the sequence at the beginning of s and returns the rest.
func (c *wineConsole) sequence(s string) string {
	if !strings.HasPrefix(s, "[") {
		if strings.HasPrefix(s, "]") { // a title
			_, rest, _ := strings.Cut(s, "\a")
			return rest
		}
		return s
	}
	end := strings.IndexFunc(s[1:], func(r rune) bool { return r >= '@' && r <= '~' }) + 1
	if end == 0 {
		return ""
	}
	arguments, rest := s[1:end], s[end+1:]
	var n [5]int
	for i, a := range strings.SplitN(arguments, ";", len(n)) {
		n[i], _ = strconv.Atoi(a)
	}
	var now windows.ConsoleScreenBufferInfo
	_ = windows.GetConsoleScreenBufferInfo(c.handle, &now)
	x, y := int(now.CursorPosition.X), int(now.CursorPosition.Y)
	top, height := int(now.Window.Top), int(now.Window.Bottom-now.Window.Top)+1
	width := int(now.Size.X)
	switch s[end] {
	case 'm':
		c.style(arguments)
	case 'A':
		c.move(x, max(top, y-max(1, n[0])))
	case 'B':
		c.move(x, y+max(1, n[0]))
	case 'C':
		c.move(x+max(1, n[0]), y)
	case 'D':
		c.move(max(0, x-max(1, n[0])), y)
	case 'H':
		c.move(max(1, n[1])-1, top+max(1, n[0])-1)
	case 'K':
		if n[0] == 2 {
			x = 0
		}
		c.erase(x, y, width-x)
	case 'J':
		if n[0] == 2 {
			x, y = 0, top
		}
		c.erase(x, y, (top+height-y)*width-x)
	case 'h', 'l':
		switch arguments {
		case "?1049": // one screen for both
			c.erase(0, top, height*width)
			c.move(0, top)
		case "?25":
			cursor := [2]uint32{25, 0} // height, visible
			if s[end] == 'h' {
				cursor[1] = 1
			}
			_, _, _ = kernel32.NewProc("SetConsoleCursorInfo").Call(uintptr(c.handle), uintptr(unsafe.Pointer(&cursor)))
		}
	}
	return rest
}

func (c *wineConsole) move(x, y int) {
	_ = windows.SetConsoleCursorPosition(c.handle, windows.Coord{X: int16(x), Y: int16(y)})
}

func (c *wineConsole) erase(x, y, n int) {
	var done uint32
	at := uintptr(uint32(x) | uint32(y)<<16)
	_, _, _ = kernel32.NewProc("FillConsoleOutputCharacterW").Call(uintptr(c.handle), ' ', uintptr(n), at, uintptr(unsafe.Pointer(&done)))
	_, _, _ = kernel32.NewProc("FillConsoleOutputAttribute").Call(uintptr(c.handle), wineText, uintptr(n), at, uintptr(unsafe.Pointer(&done)))
}

// style sets bold and the colour.
func (c *wineConsole) style(arguments string) {
	before, colour, coloured := strings.Cut(arguments, "38;2;")
	switch {
	case coloured:
		c.bold = c.bold || before == "1;"
		c.colour = nearest(colour)
	case arguments == "1":
		c.bold = true
	case arguments == "" || arguments == "0":
		c.colour, c.bold = 0, false
	}
	attribute := cmp.Or(c.colour, wineText)
	if c.bold && c.colour == 0 {
		attribute = wineBold
	}
	_, _, _ = kernel32.NewProc("SetConsoleTextAttribute").Call(uintptr(c.handle), uintptr(attribute))
}

// nearest returns the most similar of the 16 colours: R;G;B with the channels that are not weak.
func nearest(rgb string) uint16 {
	var channels [3]int
	for i, part := range strings.SplitN(rgb, ";", len(channels)) {
		channels[i], _ = strconv.Atoi(part)
	}
	most := max(channels[0], channels[1], channels[2])
	if most-min(channels[0], channels[1], channels[2]) < 16 {
		return 8 // grey
	}
	attribute := uint16(8)
	for i, v := range channels {
		if v > most/2 {
			attribute |= 4 >> i
		}
	}
	return attribute
}
