// Package reindex has Open WebUI make the vectors of a file again.
//
// Its central idea is that the application is asked for what its own editor of a file's
// text does, and for nothing else: the text is read, and saved as it is. That makes the
// file's collection anew, and brings the knowledge bases up to date that list the file. The
// bytes are not read again, so that a transcript, or a text that somebody edited, stays.
// The package knows the application's API, and nothing of databases and stores.
package reindex
