package measure

// Goal is what a ratio, or a plain figure, should reach.
type Goal struct {
	Bound  float64
	AtMost bool // else at least
}

// AtMost is the goal of not more than the bound.
func AtMost(bound float64) Goal { return Goal{Bound: bound, AtMost: true} }

// AtLeast is the goal of not less than the bound.
func AtLeast(bound float64) Goal { return Goal{Bound: bound} }

// Reached says whether the value meets the goal.
func (g Goal) Reached(value float64) bool {
	if g.AtMost {
		return value <= g.Bound
	}
	return value >= g.Bound
}

// Result is one line of the report: ours beside the floor or the rival, and what one is by the other.
type Result struct {
	Section string
	Name    string
	Unit    string // of Ours and Floor
	Ours    Spread
	Floor   Spread // the zero Spread for a figure that stands alone
	Against string // what the floor is
	Ratio   Spread // or the figure itself
	Goal    *Goal  // nil for a line that only informs
	Plain   bool   // Ratio is a figure and no ratio
}

// Reached says whether the median meets the goal; a result without one meets it.
func (r Result) Reached() bool { return r.Goal == nil || r.Goal.Reached(r.Ratio.Median) }

// Figure makes a Result of a value that is held against its goal as it is.
func Figure(name, unit string, value Spread, goal *Goal) Result {
	return Result{Name: name, Unit: unit, Ours: value, Ratio: value, Goal: goal, Plain: true}
}
