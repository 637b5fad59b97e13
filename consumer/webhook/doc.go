// Package webhook receives the events that Open WebUI posts, and puts them into
// the queue.
//
// Its central idea is that an answer of 202 is a promise: it is given only after
// the queue has stored the event, because Open WebUI never sends one twice.
// Everything else is refused with a status that says why, and says it to
// strangers only so often.
//
// Open WebUI signs nothing and sends no header of our choosing: a token in the
// URL is all that tells it from others, so it is compared in constant time and
// written nowhere. What an event says about anything but a deleted file is not
// believed, only taken as a hint that something changed.
//
// The package knows what an event is; it must not know how the queue works, nor
// who listens on which address.
package webhook
