// Package restore brings back rows of table file that were deleted a while ago.
//
// Its central idea is that a row without its bytes is worse than none: under the lock of
// the entry in the trash nobody removes the bytes (see repo.Trash), and what they are is
// looked at there. Links that went along with a row do not come back, since nothing
// mentioned it, and neither do vectors. The package knows contracts only.
package restore
