// Package demo makes a scratch installation of Open WebUI's in a folder: a
// database, a Chroma file and uploads, without installing anything.
//
// Its central idea is that it knows of each file what must become of it, because
// it made the file so. It only writes what an application would have left there;
// it knows nothing of how orphans are found or deleted.
package demo
