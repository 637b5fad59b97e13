package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"pruned/cmd/pruned/vacuum"
	"pruned/repo/postgres"
	"pruned/repo/postgres/pgerr"
)

// diskCheck gathers what is told of the disk in one line, and what to do.
type diskCheck struct {
	disks             []*diskUse
	figures, remedies []string
}

// diskUse is a file system with what pruned knows on it.
type diskUse struct {
	disk
	names  []string
	needs  uint64 // of the vacuum that needs most here
	inside uint64 // what vacuums give back
	trash  uint64 // bytes of deleted files that can be restored
}

// diskFindings tells how large is what rows are deleted from, what of it is free inside, and
// how much room there is.
func (r *doctorCmd) diskFindings(ctx *runContext, a *app) []finding {
	var d diskCheck
	places := ctx.writtenPlaces()
	if ctx.cli.Vectors.DB == "chroma" && ctx.cli.Chroma.IsEmbedded() {
		places = append(places, place{"vector_db", ctx.cli.Storage.VectorDir()})
	}
	for _, p := range places {
		if disk, err := statDisk(existingParent(p.path)); err == nil {
			use := d.useOf(disk)
			use.names = append(use.names, p.name)
		}
	}
	d.addTrash(ctx, a)
	targets, err := ctx.findVacuumTargets(ctx, a)
	if err == nil {
		err = d.addFiles(ctx, targets.files)
	}
	if err == nil {
		err = d.addTables(ctx, ctx.command, a)
	}
	if err != nil {
		return []finding{{Check: "disk", Detail: err.Error()}}
	}
	return []finding{d.toFinding()}
}

func (d *diskCheck) useOf(found disk) *diskUse {
	for _, use := range d.disks {
		if use.device == found.device {
			return use
		}
	}
	d.disks = append(d.disks, &diskUse{disk: found})
	return d.disks[len(d.disks)-1]
}

// addTrash tells what stays in the upload folder for the trash. Before the first run there
// is none, and what is wrong with it another line says.
func (d *diskCheck) addTrash(ctx context.Context, a *app) {
	sum, err := a.db.SumTrash(ctx)
	if err != nil {
		return
	}
	for _, use := range d.disks {
		if slices.Contains(use.names, "uploads") {
			use.trash = uint64(max(sum.Bytes, 0))
		}
	}
}

func (d *diskCheck) addFiles(ctx context.Context, paths []string) error {
	for _, path := range paths {
		f, err := vacuum.OpenFile(ctx, path, true)
		if err != nil {
			return err
		}
		m, err := f.Measure(ctx)
		f.Close()
		if err != nil {
			return err
		}
		d.figures = append(d.figures, fmt.Sprintf("%s %s, %s of it free inside", filepath.Base(path), bytesText(m.Bytes), bytesText(m.Inside)))
		for n, need := range needsOf(path, vacuum.NeedOf(path, m)) {
			use := d.useOf(need.disk)
			if len(use.names) == 0 {
				use.names = []string{need.dir} // SQLITE_TMPDIR
			}
			use.needs = max(use.needs, need.bytes)
			if n == 0 { // the file's own
				use.inside += uint64(m.Inside)
			}
		}
	}
	return nil
}

// addTables tells of the tables that grow most, and of that of the vectors.
func (d *diskCheck) addTables(ctx context.Context, c *command, a *app) error {
	var targets vacuumTargets
	if db, ok := a.db.Admin.(*postgres.DB); ok {
		targets.tables = []tableGroup{{string(c.cli.Database.URL), db.Largest()}}
	}
	if store, ok := a.store.(chunkTable); ok {
		name, err := store.TableName(ctx)
		if err != nil {
			return err
		}
		if name != "" {
			targets.addTable(string(c.cli.Vectors.URL), name)
		}
	}
	for _, group := range targets.tables {
		if err := d.addGroup(ctx, group); err != nil {
			return err
		}
	}
	return nil
}

func (d *diskCheck) addGroup(ctx context.Context, group tableGroup) error {
	conn, err := connect(ctx, group.url, nil)
	if err != nil {
		return err
	}
	defer closeSession(ctx, conn)
	tables, err := vacuum.ReadTables(ctx, conn, group.names)
	for _, t := range tables {
		vacuumed := "never vacuumed"
		if t.Vacuumed != nil {
			vacuumed = "vacuumed " + roughDuration(int64(max(time.Since(*t.Vacuumed), 0).Seconds())) + " ago"
		}
		d.figures = append(d.figures, fmt.Sprintf("table %s %s, %s dead rows, %s", t.Name, bytesText(t.Bytes), humanize.Comma(t.Dead), vacuumed))
		if t.HNSWVersion != "" && !t.MayVacuum {
			d.remedies = append(d.remedies, searchesSuffer+": "+t.Remedy())
		}
		if t.Dead > maxDeadRows(t.Live) {
			d.remedies = append(d.remedies, "pruned vacuum, as autovacuum does not get round to "+t.Name+" (is it off, or does an old transaction keep the rows?)")
		}
	}
	return pgerr.Translate(err, "read what the tables take")
}

// maxDeadRows is twice what autovacuum waits for by PostgreSQL's own settings.
func maxDeadRows(live int64) int64 { return 2 * (50 + live/5) }

// minFreePart is the part of a file system that is free where it is not nearly full: a
// twentieth.
const minFreePart = 20

// remedy says what to do first where a file system is nearly full, or has less than twice
// the room that a vacuum needs; nothing where there is enough.
func (u *diskUse) remedy() string {
	if u.free >= u.total/minFreePart && u.free >= 2*u.needs {
		return ""
	}
	where := strings.Join(u.names, ", ")
	uploads := "`pruned sweep --dry-run` shows what nothing uses, and uploads go without room of their own"
	if u.trash > 0 {
		uploads = fmt.Sprintf("`pruned trash empty` lets the bytes of deleted files go, %s; ", humanize.IBytes(u.trash)) + uploads
	}
	switch {
	case u.inside < minFreeSpace:
		return fmt.Sprintf("make room on the disk of %s: %s", where, uploads)
	case u.free < u.needs+minFreeSpace:
		return fmt.Sprintf("make room on the disk of %s first: `pruned vacuum` gives back %s, and needs %s free meanwhile; %s",
			where, humanize.IBytes(u.inside), humanize.IBytes(u.needs), uploads)
	}
	return fmt.Sprintf("`pruned vacuum` gives back %s to the disk of %s, as long as the %s are free that it needs meanwhile",
		humanize.IBytes(u.inside), where, humanize.IBytes(u.needs))
}

func (d *diskCheck) toFinding() finding {
	f := finding{Check: "disk", OK: true}
	for _, use := range d.disks {
		d.figures = append(d.figures, fmt.Sprintf("%s of %s free for %s", humanize.IBytes(use.free), humanize.IBytes(use.total), strings.Join(use.names, ", ")))
		d.remedies = append(d.remedies, use.remedy())
	}
	d.remedies = slices.DeleteFunc(d.remedies, func(r string) bool { return r == "" })
	f.Warn = len(d.remedies) > 0
	f.Detail, f.Remedy = strings.Join(d.figures, "; "), strings.Join(d.remedies, "; ")
	return f
}
