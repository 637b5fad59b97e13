/*
 * Deletions as a model: who may do what at which moment, and that no order of it deletes
 * a file that a committed row mentions.
 *
 * One step is one statement of PostgreSQL, which sees one snapshot, or one message of the
 * queue. Between any two of them everybody else may act, crash, or never come back. Ages
 * are left out: a file may go at once, which is the hardest case. `make model` checks the
 * assertions below, and that each mutation is refuted by the one that it breaks.
 *
 * Where a name here stands for another in the code, a comment tells it.
 */
module deletion
open util/ordering[Writer] as number

/* What is done wrong on purpose. A faithful run has none. */
abstract sig Mutation {}
lone sig RowsUnlocked,      -- step 1 locks no rows
         LastLookFirst,     -- everything is looked for before the rows go, and not again
         RecheckFromFind,   -- the last look reads what came since the first, not since the index
         WritersOutLate,    -- strict: writers are kept out after the last look
         MarkIsNext,        -- a pass takes for its mark the next number, over those still open
         MentionsForgotten, -- a pass forgets ids that have no row yet
         IndexIsBelieved,   -- a reference counts though its row is gone
         EventsOnce         -- a sweep publishes an event about a file once
         extends Mutation {}

lone sig Strict {} -- PRUNED_STRICT

sig File {}
enum Kind { Link, Json } -- by a foreign key that is enforced; anywhere else
/* A transaction of the application that mentions a file. Writers have the order of their
   numbers (xid). */
sig Writer { file: one File, kind: one Kind }

var sig Fresh in File {}   -- has had no row yet
var sig Row in File {}     -- has a row in table file
var sig Event in File {}   -- an orphan event is in the queue, not acked
var sig Published in File {} -- a sweep has published one

var sig Open in Writer {}    -- has a number
var sig Written in Writer {} -- has written its mention
var sig Long in Writer {}    -- and that a while ago (LongWriting)
var sig Ended in Writer {}
var sig Visible in Writer {} -- its mention is committed, and still there

fun started: set Writer { Open + Ended }

/* The reference index. */
var sig Covered in Writer {}   -- have numbers below its mark W
var sig Indexed in Writer {}   -- pruned.reference
var sig Known in File {}       -- pruned.known_file
var sig Remembered in File {}  -- pruned.mentioned
var sig Late in File {}        -- of a generation that not all tables were read in

enum Phase { Resting, Marked, Read }
one sig Pass { var phase: one Phase, var mark, seen: set Writer, var learned: set File }

enum Step { Idle, Locked, Found, Rechecked, Committed }
sig Worker {
  var step: one Step,
  var batch: set File,    -- whose events it will ack
  var holds: set File,    -- whose rows it has locked
  var doomed: set File,   -- whose rows it deletes
  var trusted: set Writer,  -- that the last look need not read
  var checked: set Writer -- that the last look saw (nothing decides by it)
}
var sig Excluding in Worker {} -- keeps writers out (lockWriters)
var sig Gap in Writer {}       -- was in the gap that README.md tells of (nothing decides by it)

/* Groups that a step leaves as they are. */
pred appStays { Fresh' = Fresh and Open' = Open and Written' = Written and Long' = Long and Ended' = Ended and Visible' = Visible }
pred indexStays { Covered' = Covered and Indexed' = Indexed and Known' = Known and Remembered' = Remembered and Late' = Late }
pred passStays { phase' = phase and mark' = mark and seen' = seen and learned' = learned }
pred queueStays { Event' = Event and Published' = Published }
pred stays[w: Worker] {
  w.step' = w.step and w.batch' = w.batch and w.holds' = w.holds and w.doomed' = w.doomed
  w.trusted' = w.trusted and w.checked' = w.checked and (w in Excluding iff w in Excluding')
}
pred workersStay { all w: Worker | stays[w] }
pred oursStay { indexStays and passStays and queueStays and workersStay and Gap' = Gap }
pred restStays[w: Worker] { appStays and indexStays and passStays and Published' = Published and (all o: Worker - w | stays[o]) }

fact init {
  no Event and no Published and no Open and no Written and no Long and no Ended and no Visible and no Gap
  no Covered and no Indexed and no Remembered and no Late and no Excluding
  no Fresh & Row and Fresh + Row = File and Known in Row
  Pass.phase = Resting and no Pass.mark and no Pass.seen and no Pass.learned
  all w: Worker | w.step = Idle and no w.batch and no w.holds and no w.doomed and no w.trusted and no w.checked
}

/* The application. */
pred create[f: File] {
  f in Fresh and Fresh' = Fresh - f and Row' = Row + f
  Open' = Open and Written' = Written and Long' = Long and Ended' = Ended and Visible' = Visible and oursStay
}
pred begin[x: Writer] {
  x not in started and number/prevs[x] in started and Open' = Open + x
  Fresh' = Fresh and Row' = Row and Written' = Written and Long' = Long and Ended' = Ended and Visible' = Visible and oursStay
}
/* A link needs the row, and waits for whoever holds it. Anything else needs only that the
   table is not locked, and may come before the row. Who mentions a file that was deleted
   before is not counted. */
pred write[x: Writer] {
  x in Open - Written
  x.kind = Link implies x.file in Row - Worker.holds else (x.file in Row + Fresh and no Excluding)
  Written' = Written + x
  Fresh' = Fresh and Row' = Row and Open' = Open and Long' = Long and Ended' = Ended and Visible' = Visible and oursStay
}
pred linger[x: Writer] {
  x in Open & Written - Long and Long' = Long + x
  Fresh' = Fresh and Row' = Row and Open' = Open and Written' = Written and Ended' = Ended and Visible' = Visible and oursStay
}
pred end[x: Writer] {
  x in Open and Open' = Open - x and Ended' = Ended + x
  Visible' = Visible or (x in Written and Visible' = Visible + x) -- rolled back, or committed
  Fresh' = Fresh and Row' = Row and Written' = Written and Long' = Long and oursStay
}
pred remove[x: Writer] {
  x in Visible and Visible' = Visible - x
  Fresh' = Fresh and Row' = Row and Open' = Open and Written' = Written and Long' = Long and Ended' = Ended and oursStay
}

/* A pass (IndexChanges, and IndexAll where it is whole): one at a time, by a lock. */
pred passMarks {
  Pass.phase = Resting and Pass.phase' = Marked
  Pass.mark' = (some MarkIsNext implies started else { x: started | no Open & (x + number/prevs[x]) })
  seen' = seen and learned' = learned
  Row' = Row and appStays and indexStays and queueStays and workersStay and Gap' = Gap
}
pred passReads {
  Pass.phase = Marked and Pass.phase' = Read and Pass.seen' = Visible and Pass.learned' = Row and mark' = mark
  Row' = Row and appStays and indexStays and queueStays and workersStay and Gap' = Gap
}
pred passCommits[unread: set Writer] { -- that were not read before: those since W, or all
  Pass.phase = Read and Pass.phase' = Resting and mark' = mark and seen' = seen and learned' = learned
  Known' = Known + Pass.learned
  Indexed' = Indexed + { x: Pass.seen & unread | x.file in Known' }
  Remembered' = (some MentionsForgotten implies none else Remembered + (Pass.seen & unread).file - Known')
  Late' = (unread = Writer implies none else Late + ((Pass.learned - Known) & Remembered))
  Covered' = Pass.mark
  Row' = Row and appStays and queueStays and workersStay and Gap' = Gap
}
pred passCrashes {
  Pass.phase != Resting and Pass.phase' = Resting and mark' = mark and seen' = seen and learned' = learned
  Row' = Row and appStays and indexStays and queueStays and workersStay and Gap' = Gap
}

/* Events. Anybody may publish one about any file; it is no order. */
pred publish[f: File] {
  f not in Event and Event' = Event + f and Published' = Published
  Row' = Row and appStays and indexStays and passStays and workersStay and Gap' = Gap
}
fun mentionedByIndex: set File { (some IndexIsBelieved implies Indexed else Indexed & Visible).file }
pred sweepable[f: File] {
  f in (Row & Known) - Late - mentionedByIndex - Event
  some EventsOnce implies f not in Published
}
pred sweep[f: File] {
  sweepable[f] and Event' = Event + f and Published' = Published + f
  Row' = Row and appStays and indexStays and passStays and workersStay and Gap' = Gap
}

/* A worker. What it takes may be leased to another one: the lease ended, or the ack was
   lost. */
fun lockable[w: Worker]: set File {
  Row - (some RowsUnlocked implies none else (Worker - w).holds + (Open & Written & kind.Link).file)
}
pred lock[w: Worker] { -- step 1, with those that have no row; the rest is busy
  w.step = Idle and some w.batch' and w.batch' in Event & (lockable[w] + (File - Row))
  some Strict implies (Worker - w).step in Idle + Committed -- SerializeStrict
  w.step' = Locked and w.holds' = (some RowsUnlocked implies none else w.batch' & Row)
  w.doomed' = w.batch' & Row and no w.trusted' and no w.checked' and Excluding' = Excluding
  Event' = Event and Row' = Row and Gap' = Gap and restStays[w]
}
pred find[w: Worker] { -- step 2, FindIndexed
  w.step = Locked
  some Long & Open & Written implies no w.doomed' else
    w.doomed' = (w.doomed & Known) - Late - mentionedByIndex
      - (some LastLookFirst implies Visible.file else none)
  w.trusted' = (some RecheckFromFind implies Visible else Covered)
  w.step' = (no w.doomed' implies Committed else Found)
  w.holds' = (no w.doomed' implies none else w.holds)
  w.batch' = w.batch and no w.checked' and Excluding' = Excluding
  Event' = Event and Row' = Row and Gap' = Gap and restStays[w]
}
fun unlinked: set Writer { Open & Written & kind.Json } -- have written and hold the lock of a table
pred recheck[w: Worker] { -- step 6, RecheckReferences; steps 3 to 5 nobody else sees
  w.step = Found
  (some Strict and no WritersOutLate) implies (no unlinked and Excluding' = Excluding + w) else Excluding' = Excluding
  no LastLookFirst implies no (Visible - w.trusted).file & w.doomed
  w.step' = Rechecked and w.checked' = Visible
  w.batch' = w.batch and w.holds' = w.holds and w.doomed' = w.doomed and w.trusted' = w.trusted
  Event' = Event and Row' = Row and Gap' = Gap and restStays[w]
}
pred commits[w: Worker] { -- step 7; its answer may be lost
  w.step = Rechecked and (some Strict and some WritersOutLate implies no unlinked)
  Row' = Row - w.doomed
  Gap' = Gap + { x: Written & (Open + Visible) & kind.Json - w.checked | x.file in w.doomed }
  w.step' = Committed and w.batch' = w.batch or w.step' = Idle and no w.batch'
  no w.holds' and no w.doomed' and no w.trusted' and no w.checked' and Excluding' = Excluding - w
  Event' = Event and restStays[w]
}
pred ack[w: Worker] {
  w.step = Committed and w.step' = Idle and Event' = Event - w.batch
  no w.batch' and no w.holds' and no w.doomed' and no w.trusted' and no w.checked' and Excluding' = Excluding
  Row' = Row and Gap' = Gap and restStays[w]
}
pred rollsBack[w: Worker] { -- a crash, a late reference, a lock that is not to be had
  w.step != Idle and w.step' = Idle and Event' = Event
  no w.batch' and no w.holds' and no w.doomed' and no w.trusted' and no w.checked' and Excluding' = Excluding - w
  Row' = Row and Gap' = Gap and restStays[w]
}
pred nothing { Row' = Row and appStays and oursStay }

pred application { (some f: File | create[f]) or (some x: Writer | begin[x] or write[x] or linger[x] or end[x] or remove[x]) }
pred pass { passMarks or passReads or passCrashes or passCommits[Writer - Covered] or passCommits[Writer] }
pred work[w: Worker] { find[w] or recheck[w] or commits[w] or ack[w] or rollsBack[w] or lock[w] }

fact trace {
  always (nothing or application or pass or (some f: File | publish[f] or sweep[f]) or (some w: Worker | work[w]))
}

/* Nothing that a committed row mentions is deleted. */
pred NothingInUseGoes { some Strict implies always Visible.file in Row + Fresh }

/* Not strict, the one gap: a mention that is no link, written before the commit and seen
   by nobody at the last look. */
pred OnlyTheGap { always (Visible - Gap).file in Row + Fresh }
pred NoGap { always Visible.file in Row + Fresh } -- refuted, or the gap were none

/* Nothing unused stays, if everybody who can act does so in the end, and crashes end. */
pred fair {
  all x: Writer | (eventually always x in Open) implies always eventually end[x]
  (eventually always (Pass.phase = Resting and some (Visible - Covered).file + (Row - Known) + Late)) implies always eventually passMarks
  (eventually always Pass.phase = Marked) implies always eventually passReads
  (eventually always Pass.phase = Read) implies always eventually (passCommits[Writer] or passCommits[Writer - Covered])
  always eventually (Pass.phase = Resting or Late = none or passCommits[Writer])
  eventually always (not passCrashes and no w: Worker | rollsBack[w] and no (Visible - w.trusted).file & w.doomed)
  all f: File | (eventually always sweepable[f]) implies always eventually sweep[f]
  all w: Worker, f: File | (eventually always (w.step = Idle and f in Event & (lockable[w] + (File - Row)))) implies always eventually (lock[w] and f in w.batch')
  all w: Worker | (eventually always w.step = Locked) implies always eventually find[w]
  all w: Worker | (eventually always w.step = Found) implies always eventually (recheck[w] or rollsBack[w])
  all w: Worker | (eventually always w.step = Rechecked) implies always eventually commits[w]
  all w: Worker | (eventually always w.step = Committed) implies always eventually ack[w]
}
pred NothingUnusedStays {
  (fair and some Worker) implies all f: File | (eventually always (f not in Fresh and f not in Visible.file and no Long & Open)) implies eventually f not in Row
}
