package webpage

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// Colors are colours of a page, each written as "#rrggbb". An empty one is the built-in colour; an empty Accent of the dark
// colours is the Accent of the light ones.
type Colors struct {
	Accent     string // the button
	Background string // behind the text
	Text       string // the text. Its contrast to Background is at least 4.5
}

var (
	lightColors = Colors{Accent: "#2557d6", Background: "#ffffff", Text: "#1c2330"}
	darkColors  = Colors{Accent: "#86a8ff", Background: "#1a1f28", Text: "#e9ecf2"}
)

// minContrast is the least contrast of text of normal size: success criterion 1.4.3 of WCAG 2.2.
const minContrast = 4.5

// rgb is a colour in sRGB.
type rgb struct{ r, g, b uint8 }

var white, black = rgb{255, 255, 255}, rgb{0, 0, 0}

func (c rgb) String() string { return fmt.Sprintf("#%02x%02x%02x", c.r, c.g, c.b) }

func parseColor(text string) (rgb, bool) {
	digits, found := strings.CutPrefix(text, "#")
	value, err := strconv.ParseUint(digits, 16, 24)
	if !found || err != nil || len(digits) != 6 {
		return rgb{}, false
	}
	return rgb{uint8(value >> 16), uint8(value >> 8), uint8(value)}, true
}

// luminance is the relative luminance of WCAG 2.2.
func (c rgb) luminance() float64 {
	linear := func(channel uint8) float64 {
		v := float64(channel) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.r) + 0.7152*linear(c.g) + 0.0722*linear(c.b)
}

// contrast is the contrast ratio of WCAG 2.2, from 1 to 21.
func contrast(a, b rgb) float64 {
	lighter, darker := a.luminance(), b.luminance()
	if lighter < darker {
		lighter, darker = darker, lighter
	}
	return (lighter + 0.05) / (darker + 0.05)
}

// mix takes a share of the second colour, from 0 to 1.
func mix(a, b rgb, share float64) rgb {
	part := func(x, y uint8) uint8 { return uint8(math.Round(float64(x)*(1-share) + float64(y)*share)) }
	return rgb{part(a.r, b.r), part(a.g, b.g), part(a.b, b.b)}
}

// palette is all colours of a page.
type palette struct {
	page, card, text, quiet, line, accent, hover, onAccent, warn, warnLine, warnText rgb
}

func newPalette(accent, background, text rgb) palette {
	p := palette{
		page: mix(background, text, .05), card: background, text: text, quiet: quieter(text, background),
		line: mix(background, text, .15), accent: accent, onAccent: white,
		warn: rgb{0xff, 0xf6, 0xe0}, warnLine: rgb{0xe2, 0xb9, 0x4b}, warnText: rgb{0x5c, 0x43, 0},
	}
	if contrast(accent, black) > contrast(accent, white) {
		p.onAccent = black
	}
	p.hover = mix(accent, rgb{^p.onAccent.r, ^p.onAccent.g, ^p.onAccent.b}, .15) // away from the colour of its text
	if background.luminance() < .18 {                                            // a dark page
		p.page = mix(background, black, .35)
		p.warn, p.warnLine, p.warnText = rgb{0x2e, 0x27, 0x13}, rgb{0x8a, 0x6d, 0x1f}, rgb{0xf4, 0xdd, 0x9c}
	}
	return p
}

// quieter is a text colour as near to the background as can still be read.
func quieter(text, background rgb) rgb {
	for share := .35; share > 0; share -= .05 {
		if c := mix(text, background, share); contrast(c, background) >= minContrast+.3 {
			return c
		}
	}
	return text
}

// newPalettes reports colours that are malformed or cannot be read. Each fault is one of a colour that was set.
func newPalettes(report Report, light, dark Colors) (palette, palette) {
	first := fillPalette(report, "Colors", light, lightColors)
	inherited := darkColors
	if color, ok := parseColor(light.Accent); ok {
		inherited.Accent = color.String()
	}
	return first, fillPalette(report, "DarkColors", dark, inherited)
}

func fillPalette(report Report, field string, given, otherwise Colors) palette {
	malformed := false
	read := func(name, given, otherwise string) rgb {
		color, ok := parseColor(given)
		if !ok {
			color, _ = parseColor(otherwise)
		}
		if !ok && given != "" {
			malformed = true
			report(field+"."+name, `must be written as "#rrggbb"`)
		}
		return color
	}
	accent := read("Accent", given.Accent, otherwise.Accent)
	background := read("Background", given.Background, otherwise.Background)
	text := read("Text", given.Text, otherwise.Text)
	switch readable := contrast(text, background) >= minContrast; {
	case readable || malformed:
	case given.Text == "":
		report(field+".Background", "must have a contrast of at least 4.5 to Text (WCAG 2.2, level AA): set Text, too")
	default:
		report(field+".Text", "must have a contrast of at least 4.5 to Background (WCAG 2.2, level AA)")
	}
	return newPalette(accent, background, text)
}

// properties writes the colours as CSS custom properties.
func (p palette) properties() string {
	return fmt.Sprintf("--page:%s;--card:%s;--text:%s;--quiet:%s;--line:%s;--accent:%s;--hover:%s;--on-accent:%s;"+
		"--warn:%s;--warn-line:%s;--warn-text:%s", p.page, p.card, p.text, p.quiet, p.line, p.accent, p.hover, p.onAccent,
		p.warn, p.warnLine, p.warnText)
}

// styleOf has the light colours for printing too.
func styleOf(light, dark palette) template.CSS {
	//nolint:gosec // colours that were parsed
	return template.CSS(":root{" + light.properties() + "}\n@media screen and (prefers-color-scheme: dark){:root{" +
		dark.properties() + "}}")
}
