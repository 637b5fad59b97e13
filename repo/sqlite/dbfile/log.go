package dbfile

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
)

// Position is a place in a write-ahead log: after a number of frames of the log that
// began with these salts. The zero position is none: nothing is known to follow it.
type Position struct {
	salts  [8]byte
	page   int64 // bytes of one
	frames int64
	sum    checksum // of everything up to there
	// Where the last transaction begins, and the sum up to there. A process that is
	// killed after it wrote a transaction, and before it told the others so, has
	// written nothing: the next one writes over it. That can only be the last, which
	// is compared each time, by the headers of all its frames: two that make the
	// database as much larger begin with the same page 1, and of a longer one those
	// that were not written over are still there.
	last    int64
	before  checksum
	headers uint64 // a hash of those of the last transaction
}

// Known says whether the log can be read on from here.
func (p Position) Known() bool { return p.frames > 0 }

// Frames is how many frames of the log, of a page each, lie before the position.
func (p Position) Frames() int64 { return p.frames }

// Bytes is how much of the log lies before the position.
func (p Position) Bytes() int64 { return p.frames * (frameHeader + p.page) }

// Bytes of the log's header, and of that of each frame (4.1).
const (
	logHeader   = 32
	frameHeader = 24
)

// ReadLog reads the write-ahead log of the database at a path on from a position, and
// calls changed with the pages of every transaction that committed since (4), a page as
// often as it was written. It returns how far that is, and whether it goes on from the
// position: not where the log was begun anew since, since nobody can tell then which pages
// were written before that. Without a log, or with one that SQLite takes for empty, it
// returns the zero position. Its errors are those of the file system.
//
// The log is only ever appended to, or begun anew with other salts once all of it
// is in the database. It may be read while others write to it; frames that are not
// yet committed, or not yet whole, fail their sums.
func ReadLog(path string, from Position, changed func(pages []uint32)) (to Position, goesOn bool, err error) {
	file, err := os.Open(path + "-wal")
	if errors.Is(err, fs.ErrNotExist) {
		return Position{}, false, nil
	}
	if err != nil {
		return Position{}, false, err
	}
	defer file.Close()
	l, err := openLog(file)
	if err != nil || l == nil {
		return Position{}, false, err
	}
	goesOn, err = l.goesOnFrom(from)
	same := true
	if goesOn {
		same, err = l.holds(from)
	}
	if errors.Is(err, io.EOF) { // it was emptied meanwhile, or is an older one that somebody put back
		goesOn, err = false, nil
	}
	if err != nil {
		return Position{}, false, err
	}
	switch {
	case !goesOn:
		from = Position{salts: l.salts, page: l.page, sum: l.sum, before: l.sum}
	case !same:
		from.frames, from.sum = from.last, from.before
	}
	to, err = l.readFrames(from, changed)
	if err != nil {
		return Position{}, false, err
	}
	// A log that was begun anew meanwhile has overwritten what was read.
	again, err := openLog(file)
	if err != nil || again == nil || again.salts != l.salts {
		return Position{}, false, err
	}
	return to, goesOn, nil
}

// log is an open write-ahead log.
type log struct {
	file  io.ReaderAt
	order binary.ByteOrder // of the words that are summed up
	page  int64            // bytes of one
	salts [8]byte
	sum   checksum // of the header
}

// openLog reads the header of a log; nil where it has none yet, or none that is
// valid, which SQLite takes for an empty log.
func openLog(file io.ReaderAt) (*log, error) {
	var header [logHeader]byte
	if _, err := file.ReadAt(header[:], 0); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	l := &log{file: file, page: int64(binary.BigEndian.Uint32(header[8:]))}
	switch binary.BigEndian.Uint32(header[:]) {
	case 0x377f0682:
		l.order = binary.LittleEndian
	case 0x377f0683:
		l.order = binary.BigEndian
	default:
		return nil, nil
	}
	l.sum = l.extendSum(checksum{}, header[:24])
	if l.page < minPage || l.page > 65536 || l.page&(l.page-1) != 0 || !l.sum.equals(header[24:]) {
		return nil, nil
	}
	copy(l.salts[:], header[16:24])
	return l, nil
}

// goesOnFrom says whether the log goes on from where the last transaction of a position
// begins: sums add up, so that frames with the same sum are the same up to there. It returns
// io.EOF, as holds does, where the log ends before.
func (l *log) goesOnFrom(from Position) (bool, error) {
	if !from.Known() || from.salts != l.salts {
		return false, nil
	}
	if from.last == 0 {
		return from.before == l.sum, nil
	}
	header, err := l.readHeader(from.last - 1)
	return [8]byte(header[8:16]) == l.salts && from.before.equals(header[16:]), err
}

// readHeader reads the header of a frame; they count from zero.
func (l *log) readHeader(n int64) (header [frameHeader]byte, err error) {
	_, err = l.file.ReadAt(header[:], logHeader+n*(frameHeader+l.page))
	return header, err
}

// holds says whether the last transaction of a position is still the one that was read. A
// header has the sum of all up to there, so that whatever was written over it shows, without
// reading its pages: it may be a whole VACUUM, and the write lock is held.
func (l *log) holds(from Position) (bool, error) {
	headers := fnv.New64a()
	for n := from.last; n < from.frames; n++ {
		header, err := l.readHeader(n)
		if err != nil {
			return false, err
		}
		_, _ = headers.Write(header[:]) // returns no error
	}
	return from.frames == from.last || headers.Sum64() == from.headers, nil
}

// readFrames goes on from a position, and stops after the last whole transaction.
func (l *log) readFrames(from Position, changed func([]uint32)) (Position, error) {
	at := from
	frame := make([]byte, frameHeader+l.page)
	var pending []uint32
	headers := fnv.New64a()
	for n, sum := at.frames, at.sum; ; {
		_, err := l.file.ReadAt(frame, logHeader+n*int64(len(frame)))
		if errors.Is(err, io.EOF) {
			return at, nil
		}
		if err != nil {
			return at, err
		}
		page := binary.BigEndian.Uint32(frame)
		if page == 0 || [8]byte(frame[8:16]) != l.salts {
			return at, nil
		}
		if sum = l.extendSum(l.extendSum(sum, frame[:8]), frame[frameHeader:]); !sum.equals(frame[16:]) {
			return at, nil
		}
		n++
		_, _ = headers.Write(frame[:frameHeader])
		pending = append(pending, page)
		if binary.BigEndian.Uint32(frame[4:]) == 0 {
			continue // its transaction goes on
		}
		changed(pending)
		at.last, at.before, at.frames, at.sum, at.headers = at.frames, at.sum, n, sum, headers.Sum64()
		pending = pending[:0]
		headers.Reset()
	}
}

// checksum is the running sum of a log (4.2).
type checksum [2]uint32

// extendSum returns the sum of what was summed up before and of b, whose length is a
// multiple of eight.
func (l *log) extendSum(s checksum, b []byte) checksum {
	if l.order == binary.LittleEndian {
		for ; len(b) >= 8; b = b[8:] {
			s[0] += binary.LittleEndian.Uint32(b) + s[1]
			s[1] += binary.LittleEndian.Uint32(b[4:]) + s[0]
		}
		return s
	}
	for ; len(b) >= 8; b = b[8:] {
		s[0] += binary.BigEndian.Uint32(b) + s[1]
		s[1] += binary.BigEndian.Uint32(b[4:]) + s[0]
	}
	return s
}

func (s checksum) equals(b []byte) bool {
	return binary.BigEndian.Uint32(b) == s[0] && binary.BigEndian.Uint32(b[4:]) == s[1]
}
