package main

import "context"

type demoCmd struct{}

// Run is the demonstration.
func (c *demoCmd) Run(ctx context.Context) error { return nil }
