package web

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// qrQuiet is the width of the white margin around a QR code in modules (ISO/IEC 18004).
const qrQuiet = 4

// qrCode is a QR code as one SVG path. A row of dark modules is one stroke, which takes a third
// of the space of rectangles.
type qrCode struct {
	Size int // width and height with the margin, in modules
	Path string
}

// newQRCode returns the QR code of a text. Level M restores 15 % of it, for printers and folds.
func newQRCode(text string) (qrCode, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return qrCode{}, fmt.Errorf("encode the QR code: %w", err)
	}
	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			start := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > start {
				fmt.Fprintf(&path, "M%d %d.5h%d", start+qrQuiet, y+qrQuiet, x-start)
			}
		}
	}
	return qrCode{Size: code.Size + 2*qrQuiet, Path: path.String()}, nil
}
