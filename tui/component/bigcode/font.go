// Package bigcode draws a case code in large letters.
package bigcode

import (
	_ "embed"
	"strings"
	"sync"
)

// glyphRows is the height of every letter in pixels.
const glyphRows = 7

//go:embed letters.txt
var letters string

// font parses the letters once; they are constant.
var font = sync.OnceValue(func() map[rune][]string {
	glyphs := map[rune][]string{}
	_, body, _ := strings.Cut(letters, "\n\n")
	for _, block := range strings.Split(strings.TrimSpace(body), "\n\n") {
		lines := strings.Split(block, "\n")
		glyphs[[]rune(lines[0])[0]] = lines[1:]
	}
	return glyphs
})

// bitmap places the letters of code side by side, gap pixels apart; ok is false if a letter
// is missing.
func bitmap(code string, gap int) (rows [glyphRows][]bool, ok bool) {
	for i, r := range []rune(code) {
		glyph, there := font()[r]
		if !there {
			return rows, false
		}
		for y := range rows {
			if i > 0 {
				rows[y] = append(rows[y], make([]bool, gap)...)
			}
			for _, pixel := range glyph[y] {
				rows[y] = append(rows[y], pixel == '#')
			}
		}
	}
	return rows, code != ""
}
