// Package openwebui holds what pruned knows of Open WebUI: its tables, which of their
// rows keep no file, how it writes times, ids and citations, what it calls stored
// objects. Everything else asks here, so that a new release of the application is one
// diff. Facts are of 0.12.4 and its migrations; each names where in the application's
// source it comes from.
package openwebui
