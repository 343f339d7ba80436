package httpadapter

import "fmt"

// checkTemplate builds every page once with sample data. A template fails when it is executed, for example where it names a
// field that does not exist: without this check a visitor would be the first to notice.
func (p *Page) checkTemplate(found *faults) {
	languages := p.look.Languages()
	if p.config.Template == builtIn {
		languages = languages[:1] // the tests have executed it in each
	}
	for _, language := range languages {
		if !p.checkLanguage(found, language) {
			return
		}
	}
}

// checkLanguage reports whether the template shows every page in this language.
func (p *Page) checkLanguage(found *faults, language string) bool {
	for _, state := range []PageState{
		StateConfirm, StateOtherBrowser, StateDead, StateRefused, StateWrongAddress, StateNotAdmitted, StateUnavailable,
	} {
		for _, sample := range []PageData{p.leastData(state), p.fullData(state)} {
			if _, err := p.render(sample, p.look.Frame(language)); err != nil {
				found.add("Template", fmt.Sprintf("fails for the state %q: %v", state, err))
				return false
			}
		}
	}
	return true
}

// leastData has what every page of this state has.
func (p *Page) leastData(state PageState) PageData {
	if state != StateConfirm {
		return PageData{State: state}
	}
	data := p.formData(sampleToken, sampleToken)
	data.State, data.Destination = state, p.route.host+"/"
	return data
}

const sampleToken = "sample"

// fullData has everything that a page of this state may have.
func (p *Page) fullData(state PageState) PageData {
	data := PageData{}
	switch state {
	case StateRefused, StateWrongAddress:
		data = p.openAgain(sampleToken)
	case StateNotAdmitted:
		data = p.openAgain(sampleToken)
		data.LinkUsed = true
	case StateOtherBrowser:
		data = p.formData(sampleToken, sampleToken)
		data.WrongCode, data.CodeEnded = true, true
	case StateConfirm, StateUnavailable:
		data = p.formData(sampleToken, sampleToken)
	}
	if state == StateConfirm {
		data.Account, data.ActiveAccount, data.Destination = "j•••@example.com", "r•••@example.com", p.route.host+"/reports"
	}
	data.State = state
	return data
}
