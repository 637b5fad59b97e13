// Package prune decides about files and deletes them: each batch of orphan events is
// one transaction in the seven steps that Transaction lists.
//
// Its central idea is that the check and the deletion belong to one transaction, and
// that a failure is judged before it is blamed on a file: a batch that cannot commit is
// bisected until the file stands alone that prevents it. The package knows the
// contracts of repo and of vectors, and neither the queue nor any engine.
package prune
