package postgres

import (
	"errors"
	"strings"

	"pruned/repo"
	"pruned/repo/postgres/pgerr"
)

// failed translates why a look failed, and names the foreign tables if it is that one
// of their servers does not answer: the message names the server alone.
func (p *plan) failed(err error) error {
	err = pgerr.Translate(err, "look for references")
	var failed *repo.Error
	if !errors.As(err, &failed) || failed.SQLState != "08001" && !strings.HasPrefix(failed.SQLState, "HV") {
		return err
	}
	var foreign []string
	for _, r := range p.relations {
		if r.kind == "f" {
			foreign = append(foreign, r.String())
		}
	}
	if len(foreign) > 0 {
		failed.Doing += " in foreign tables (" + strings.Join(foreign, ", ") + ")"
	}
	return err
}
