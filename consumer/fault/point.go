//go:build !faults

package fault

// Point is a moment that has this name.
func Point(string) {}
