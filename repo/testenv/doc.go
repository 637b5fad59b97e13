// Package testenv starts the database servers that tests, the demo and the
// benchmark run against: a real PostgreSQL with pgvector, holding the schema
// that Open WebUI's own migrations make.
//
// Its one central idea: everything slow happens once. Programs are installed
// and one cluster with a template database per schema revision is made on first
// use and kept in a cache folder; a test process copies that cluster, starts it,
// and each test clones its own database from a template. What is shared between
// processes is only ever read.
//
// It must not know what is done with the databases: nothing of the packages
// under test is imported here.
package testenv
