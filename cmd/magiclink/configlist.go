package main

// runList runs the command of a list in the configuration: list, add ID or remove ID. The text ask,
// with the action behind it, is the fault of a missing id.
func runList(p *program, words []string, ask string, list func(*program) error, add, remove func(*program, string) error) error {
	name, words, err := action(words, []string{"list", "add", "remove"})
	if err != nil {
		return err
	}
	if name == "list" {
		if err := noWords(words); err != nil {
			return err
		}
		return list(p)
	}
	id, err := oneWord(words, ask+" "+name+" ID")
	if err != nil {
		return err
	}
	if name == "add" {
		return add(p, id)
	}
	return remove(p, id)
}
