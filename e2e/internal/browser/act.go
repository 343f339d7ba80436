package browser

import "time"

// elementKey is the name that WebDriver gives to a reference to an element.
const elementKey = "element-6066-11e4-a52e-4f735466cecf"

func (b *Browser) find(selector string) (id string) {
	b.tb.Helper()
	var reference map[string]string
	b.ask(&reference, "FindElement", map[string]any{"using": "css selector", "value": selector})
	return reference[elementKey]
}

// Click clicks the element as a mouse does. A page that the click leads to may still be on its way: see [Browser.Arrive].
func (b *Browser) Click(selector string) {
	b.tb.Helper()
	b.do("ElementClick", map[string]any{"id": b.find(selector)})
}

// DoubleClick clicks the element twice, with a pause in between.
func (b *Browser) DoubleClick(selector string, pause time.Duration) {
	b.tb.Helper()
	down := map[string]any{"type": "pointerDown", "button": 0}
	up := map[string]any{"type": "pointerUp", "button": 0}
	b.do("PerformActions", map[string]any{"actions": []any{map[string]any{
		"type": "pointer", "id": "mouse", "parameters": map[string]any{"pointerType": "mouse"}, "actions": []any{
			map[string]any{
				"type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": map[string]any{elementKey: b.find(selector)},
			},
			down, up,
			map[string]any{"type": "pause", "duration": pause.Milliseconds()},
			down, up,
		},
	}}})
}

// Fill types a text into a field.
func (b *Browser) Fill(selector, text string) {
	b.tb.Helper()
	id := b.find(selector)
	b.do("ElementClear", map[string]any{"id": id})
	b.do("ElementSendKeys", map[string]any{"id": id, "text": text})
}

// Tab names a tab of the browser.
type Tab string

// Tab returns the tab that commands go to.
func (b *Browser) Tab() (tab Tab) {
	b.tb.Helper()
	b.ask(&tab, "GetWindowHandle", nil)
	return tab
}

// NewTab opens a tab, which shares cookies with the others, and switches to it.
func (b *Browser) NewTab() Tab {
	b.tb.Helper()
	var opened struct {
		Handle Tab `json:"handle"`
	}
	b.ask(&opened, "NewWindow", map[string]any{"type": "tab"})
	b.Switch(opened.Handle)
	return opened.Handle
}

// Switch lets the next commands go to a tab.
func (b *Browser) Switch(tab Tab) {
	b.tb.Helper()
	b.do("SwitchToWindow", map[string]any{"handle": tab})
}
