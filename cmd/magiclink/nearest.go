package main

// nearest returns the one of the names that differs from a mistyped name by at most two letters, or "".
func nearest(name string, names []string) string {
	best, least := "", 3
	for _, other := range names {
		if d := distance(name, other); d < least && d < len(other) {
			best, least = other, d
		}
	}
	return best
}

// distance is the Levenshtein distance of two texts, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
