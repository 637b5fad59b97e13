// Package mention finds ids of files in text. An id counts wherever it stands, in
// whatever spelling that is cheap to read (see Tokens, Readings); what lies at the
// paths of citations can be left out (see Outside). The package is pure: it knows no
// database.
package mention
