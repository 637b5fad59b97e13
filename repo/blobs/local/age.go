package local

import "time"

// youngestAge is how long ago an object was last written, by the times of its file:
// modified, which every copy may carry along (cp -p, tar, rsync -t), so that bytes
// which were restored a minute ago look as old as they were; and changed, which the
// kernel sets at every change and nobody else can (zero where it is not to be had).
// The younger of the two counts. A time in the future, from a clock that was ahead,
// counts only where there is no other, and as now.
func youngestAge(now, modified, changed time.Time) time.Duration {
	youngest := time.Duration(-1)
	for _, at := range []time.Time{modified, changed} {
		if past := now.Sub(at); !at.IsZero() && past >= 0 && (youngest < 0 || past < youngest) {
			youngest = past
		}
	}
	return max(youngest, 0)
}
