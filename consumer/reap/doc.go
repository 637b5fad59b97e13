// Package reap carries out tombstones: bytes, and vectors outside the database, which
// no transaction can roll back and which therefore go only after its commit.
//
// Its central idea is that the check belongs to the act: that no row has the id of a
// file is asked again right before anything of that file is removed; of bytes the answer
// may be some milliseconds old (maxAnswerAge), and the one about their names some seconds
// (maxNamesAge). The package knows the contracts of repo and of vectors, and neither the
// queue nor any engine.
package reap
