package refindex

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"pruned/repo/mention"
	"pruned/repo/postgres/pgerr"
)

// Rows are read as text. A text has a gigabyte at most, and bytes that are no letters take
// four times their length in it: so bytes come in pieces, which overlap by more than the
// longest id. A virtual column is computed while it is read, and where that raises it
// counts as empty: the columns that it is computed from are read as well.

const (
	pieceBytes   = 16 << 20
	pieceOverlap = 2 * mention.LongestID
)

func (c *column) inPieces() bool { return c.typ == "bytea" && !c.virtual }

// pieceSQL is the text of the i-th piece, i being an expression.
func (c *column) pieceSQL(i string) string {
	return fmt.Sprintf("substr(t.%s, %s * %d + 1, %d)::text", QuoteName(c.name), i, pieceBytes, pieceBytes+pieceOverlap)
}

// lastPieceSQL is the number of its last piece, from zero; NULL where there is no value.
func (c *column) lastPieceSQL() string {
	return fmt.Sprintf("(octet_length(t.%s) - 1) / %d", QuoteName(c.name), pieceBytes)
}

// textSQL is the column of row t as text. A column of json that is only sent is its text
// already: casting it would copy it twice.
func (r *relation) textSQL(c *column, sent bool) string {
	switch {
	case c.virtual && r.kind == "r":
		return fmt.Sprintf("pruned.value(%d::oid::regclass, t.ctid, %s)", r.oid, QuoteLiteral(c.name))
	case c.typ == "json" && sent:
		return "t." + QuoteName(c.name)
	}
	return "t." + QuoteName(c.name) + "::text"
}

// QuoteLiteral is a text in SQL, whatever standard_conforming_strings is.
func QuoteLiteral(text string) string {
	return "E'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

// textsSQL joins the columns that can hold text, a row each, or one for each piece, as v
// (n, text): the column's number and its value.
func (r *relation) textsSQL() string {
	var values, rows []string
	for i := range r.columns {
		c := &r.columns[i]
		if c.inPieces() {
			rows = append(rows, fmt.Sprintf("SELECT %d, %s FROM generate_series(0, %s) i", c.num, c.pieceSQL("i"), c.lastPieceSQL()))
			continue
		}
		values = append(values, fmt.Sprintf("(%d, %s)", c.num, r.textSQL(c, false)))
	}
	if len(values) > 0 {
		rows = append(rows, "VALUES "+strings.Join(values, ", "))
	}
	return " CROSS JOIN LATERAL (" + strings.Join(rows, " UNION ALL ") + ") v (n, text)"
}

// cursorSQL declares the cursor that fetchRows reads: the name of a row, whether it is
// settled, whether it only goes on with the row before, then its columns. A row with bytes
// comes once for each piece of the longest.
func (r *relation) cursorSQL(row, settled, where string) string {
	var columns, pieces []string
	for i := range r.columns {
		if c := &r.columns[i]; c.inPieces() {
			pieces = append(pieces, c.lastPieceSQL())
		}
	}
	from, goesOn := r.quotedName()+" t", "''"
	if len(pieces) > 0 {
		from += " CROSS JOIN LATERAL generate_series(0, coalesce(greatest(" + strings.Join(pieces, ", ") + "), 0)) p (i)"
		goesOn = "CASE WHEN p.i > 0 THEN 'y' ELSE '' END"
	}
	for i := range r.columns {
		switch c := &r.columns[i]; {
		case c.inPieces():
			columns = append(columns, c.pieceSQL("p.i"))
		case len(pieces) > 0:
			columns = append(columns, "CASE WHEN p.i = 0 THEN "+r.textSQL(c, true)+" END")
		default:
			columns = append(columns, r.textSQL(c, true))
		}
	}
	return fmt.Sprintf("DECLARE pruned_read NO SCROLL CURSOR FOR SELECT %s, %s, %s, %s FROM ONLY %s WHERE %s",
		row, settled, goesOn, strings.Join(columns, ", "), from, where)
}

const (
	firstFetch = 16
	maxFetch   = 1000
	fetchBytes = 4 << 20
)

// nextFetch is how many rows to ask for: as many as hold fetchBytes, judged by the last
// ones. It grows step by step, since the next ones may be larger.
func nextFetch(asked int, bytes int64) int {
	return int(min(max(int64(asked)*fetchBytes/max(bytes, 1), 1), 4*int64(asked), maxFetch))
}

// fetchRows gathers the mentions of the next rows of the cursor. more is false after the
// last.
func (x *indexer) fetchRows(ctx context.Context, page *pageBuffer) (more bool, err error) {
	if page.fetching == 0 {
		page.fetching = firstFetch
	}
	rows, err := x.t.Query(ctx, fmt.Sprintf("FETCH %d FROM pruned_read", page.fetching))
	if err != nil {
		return false, pgerr.Translate(err, "read table %s", page.relation)
	}
	defer rows.Close()
	n, bytes := 0, int64(0)
	for ; rows.Next(); n++ {
		values := rows.RawValues()
		if len(values[2]) == 0 {
			page.startRow(string(values[0]), len(values[1]) > 0)
		}
		for i, text := range values[3:] {
			if bytes += int64(len(text)); len(text) < x.shortest && !page.relation.columns[i].binary {
				continue
			}
			page.relation.columns[i].eachCounted(text, func(part []byte) {
				mention.Tokens(part, page.addToken)
				x.literals.Find(part, page.addLiteral)
			})
		}
	}
	more = n == page.fetching
	page.fetching = nextFetch(page.fetching, bytes)
	return more, pgerr.Translate(rows.Err(), "read table %s", page.relation)
}

// eachReading calls yield with each text that a value of the column may stand for. A bytea
// comes in the format escape, an array of them with its backslashes escaped once more.
func (c *column) eachReading(text []byte, yield func(part []byte)) {
	if !c.binary {
		yield(text)
		return
	}
	data := unescapeBytea(text)
	if strings.HasSuffix(c.typ, "[]") {
		data = unescapeBytea(data)
	}
	mention.Readings(data, yield)
}

// unescapeBytea reads the format escape: a backslash is doubled, and an unprintable byte
// is a backslash and three octal digits.
func unescapeBytea(text []byte) []byte {
	if bytes.IndexByte(text, '\\') < 0 {
		return text
	}
	data := make([]byte, 0, len(text))
	for len(text) > 0 {
		switch {
		case text[0] == '\\' && len(text) > 1 && text[1] == '\\':
			data, text = append(data, '\\'), text[2:]
		case text[0] == '\\' && len(text) > 3 && isOctal(text[1:4]):
			data, text = append(data, (text[1]-'0')<<6|(text[2]-'0')<<3|(text[3]-'0')), text[4:]
		default:
			data, text = append(data, text[0]), text[1:]
		}
	}
	return data
}

func isOctal(digits []byte) bool {
	return digits[0] >= '0' && digits[0] <= '3' && digits[1] >= '0' && digits[1] <= '7' && digits[2] >= '0' && digits[2] <= '7'
}

// eachCounted calls yield with the parts of the column's text in which a mention
// counts.
func (c *column) eachCounted(text []byte, yield func(part []byte)) {
	if c.binary {
		c.eachReading(text, yield)
		return
	}
	mention.Outside(text, c.excluded, yield)
}
