// Package fault names the moments at which a crash is worth a look.
//
// Its central idea is that a moment costs nothing where nobody asks for it: only a build
// with the tag faults ends there, by SIGKILL or by SIGTERM, and no operator has such a build.
// Whoever has a moment knows nothing of who asks (make faults).
package fault
