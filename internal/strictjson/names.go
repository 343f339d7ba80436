package strictjson

// names are the member names that an object has had so far. A few are compared one by one; many go into a map, so that a
// long object costs time in proportion to its length.
type names struct {
	few   [16][]byte
	count int
	many  map[string]struct{}
}

// add reports whether the name is new.
func (n *names) add(name []byte) bool {
	if n.count < len(n.few) {
		for _, known := range n.few[:n.count] {
			if string(known) == string(name) {
				return false
			}
		}
		n.few[n.count] = name
		n.count++
		return true
	}
	if n.many == nil {
		n.many = make(map[string]struct{}, 2*len(n.few))
		for _, known := range n.few {
			n.many[string(known)] = struct{}{}
		}
	}
	if _, known := n.many[string(name)]; known {
		return false
	}
	n.many[string(name)] = struct{}{}
	return true
}
