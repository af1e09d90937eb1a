package web

import (
	"fmt"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// TestQRCodeIsReadable draws the path and decodes it with another program.
func TestQRCodeIsReadable(t *testing.T) {
	for _, text := range []string{"x", "tonprobe://enroll?tonprobe.example:8443/K7P3-QX2M-9ABC/x2uR0uSxLSuc1BQQ065MiY0vlJ6NNEvSooj-CvX6zjg", strings.Repeat("long/", 100)} {
		code, err := newQRCode(text)
		if err != nil {
			t.Fatal(err)
		}
		const module = 4
		picture := image.NewGray(image.Rect(0, 0, code.Size*module, code.Size*module))
		for i := range picture.Pix {
			picture.Pix[i] = 0xff
		}
		for stroke := range strings.SplitSeq(strings.TrimPrefix(code.Path, "M"), "M") {
			var x, y, length int
			if _, err := fmt.Sscanf(stroke, "%d %d.5h%d", &x, &y, &length); err != nil {
				t.Fatalf("%q: got error %v, want none", stroke, err)
			}
			for dx := range length * module {
				for dy := range module {
					picture.SetGray(x*module+dx, y*module+dy, color.Gray{})
				}
			}
		}
		bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
		if err != nil {
			t.Fatal(err)
		}
		got, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
		if err != nil || got.GetText() != text {
			t.Errorf("%.40q: decoded %v, error %v, want the same text", text, got, err)
		}
	}
	if _, err := newQRCode(strings.Repeat("x", 10_000)); err == nil {
		t.Error("a text that does not fit was encoded")
	}
}
