/*
 * What rechecks remember as a model: that none lets a file go since it leaves unread what an
 * earlier one has read.
 *
 * In deletion.als the last look reads everything that the index does not cover. Here it leaves
 * out what earlier ones of the process have read, unless one of its files was mentioned there
 * (readings.go in repo/postgres/refindex), and reads nothing where no row that lives can have
 * changed (quiet.go). One step is one statement, which sees one snapshot, or what is done under
 * a mutex. What deletion.als tells of is short here: the index is true below its mark, a pass is
 * one step, and every transaction of ours rolls back, since a file that went is in nobody's way.
 * Left out are ids that are no UUID, and changes of tables and servers: then everything is read.
 */
module readings
open util/ordering[Writer] as number

/* What is done wrong on purpose. A faithful run has none. */
abstract sig Mutation {}
lone sig ReadToEnd,      -- the next recheck reads from the end of the last one's snapshot, not from its begin
         DeadForgotten,  -- of rows that do not live no UUIDs are remembered
         DeletedCounts,  -- tables whose rows our own statements delete are like others
         MarksIgnored,   -- what was read by other marks is believed
         NotReadAgain,   -- nothing is read again where a file was mentioned in what was read
         NumberIgnored,  -- a recheck counts that began before the readings began anew
         QuietFromLast,  -- what a recheck found quiet is as of its own snapshot, not of the first look's
         QuietCounts     -- a recheck counts that read nothing, since nothing that lives had changed
         extends Mutation {}

sig File {}
enum Table { Plain, First } -- First: that FindIndexed reads as well (isReadFirst)
/* A transaction of the application that writes a row which mentions a file. Writers have the
   order of their numbers (xid). */
sig Writer { file: one File, table: one Table }

var sig Open in Writer {}    -- has a number
var sig Ended in Writer {}
var sig Visible in Writer {} -- its row is committed, and still there
var sig Dead in Writer {}    -- its row does not live, and may live again without being written (aliveSQL)
var sig Covered in Writer {} -- have numbers below the index's mark W

fun started: set Writer { Open + Ended }
fun living: set Writer { Visible - Dead }
fun ended: set Writer { { x: started | no Open & (x + number/prevs[x]) } } -- below the first number in progress: a snapshot's begin

/* What the process knows: of which marks, up to which number, and which UUIDs. */
one sig Readings { var marks, upTo: set Writer, var uuids: set File }
var sig Quiet in Readings {} -- a look has found no changed row that lives, and nobody has ended since

enum Step { Idle, Found, Started }
sig Worker {
  var step: one Step,
  var doomed: set File,      -- whose rows it deletes
  var trusted: set Writer,   -- that the last look need not read: below the marks that the first one saw
  var began: set Writer,     -- had ended when the first look began
  var hidden: set Writer,    -- whose rows its own statements delete
  var unread: set Writer,    -- that the last look does not read
  var lived: set Writer      -- that the first look could have read (nothing decides by it)
}
var sig Calm in Worker {}     -- it was quiet at the first look, and nobody has ended since
var sig Still in Worker {}    -- nobody has ended since the first look
var sig Counting in Worker {} -- its recheck began in the readings as they are

pred appStays { Open' = Open and Ended' = Ended and Visible' = Visible and Dead' = Dead }
pred readingsStay { marks' = marks and upTo' = upTo and uuids' = uuids }
pred stays[w: Worker] {
  w.step' = w.step and w.doomed' = w.doomed and w.trusted' = w.trusted and w.began' = w.began
  w.hidden' = w.hidden and w.unread' = w.unread and w.lived' = w.lived
}
pred workersStay { (all w: Worker | stays[w]) and Counting' = Counting }
pred oursStay { Covered' = Covered and readingsStay and workersStay }
pred nobodyEnded { Quiet' = Quiet and Calm' = Calm and Still' = Still }

fact init {
  no Open and no Ended and no Visible and no Covered and no Quiet and no Calm and no Still and no Counting
  no marks and no upTo and no uuids
  all w: Worker | w.step = Idle and no w.doomed and no w.trusted and no w.began and no w.hidden and no w.unread and no w.lived
}

/* The application. */
pred begin[x: Writer] {
  x not in started and number/prevs[x] in started and Open' = Open + x
  Ended' = Ended and Visible' = Visible and Dead' = Dead and oursStay and nobodyEnded
}
pred end[x: Writer] { -- rolled back, or committed
  x in Open and Open' = Open - x and Ended' = Ended + x and Visible' in Visible + x and Visible in Visible'
  Dead' = Dead and oursStay and no Quiet' and no Calm' and no Still'
}
pred remove[x: Writer] {
  x in Visible and Visible' = Visible - x
  Open' = Open and Ended' = Ended and Dead' = Dead and oursStay and no Quiet' and no Calm' and no Still'
}
pred turn[x: Writer] { -- its parent goes, or comes back
  Dead' = Dead + x - (Dead & x)
  Open' = Open and Ended' = Ended and Visible' = Visible and oursStay and no Quiet' and no Calm' and no Still'
}

/* A pass moves the mark to where all had ended at some time before. */
pred pass {
  Covered in Covered' and Covered' in ended and all x: Covered' | number/prevs[x] in Covered'
  appStays and readingsStay and workersStay and nobodyEnded
}
/* FindReferences, which reads everything in one statement. */
pred look {
  no living - Covered and Quiet' = Readings
  Calm' = Calm and Still' = Still and appStays and oursStay
}
/* The readings are full. */
pred forget {
  no upTo' and no uuids' and marks' = marks and no Counting'
  (all w: Worker | stays[w]) and Covered' = Covered and appStays and nobodyEnded
}

fun early: set Writer { some DeletedCounts implies none else table.First }
pred find[w: Worker] { -- steps 2 to 4: FindIndexed, and the deletion, which nobody else sees
  w.step = Idle and w.step' = Found
  some w.doomed' and no w.doomed' & ((Worker - w).doomed + (living & (Covered + (some Quiet implies none else early))).file)
  w.trusted' = Covered and w.began' = ended and w.lived' = living
  w.hidden' = Visible & Dead & table.First & file.(w.doomed')
  Calm' = (some Quiet implies Calm + w else Calm - w) and Still' = Still + w
  no w.unread' and Counting' = Counting and Quiet' = Quiet
  Covered' = Covered and readingsStay and appStays and all o: Worker - w | stays[o]
}
pred start[w: Worker] { -- startRecheck
  w.step = Found and w.step' = Started
  (some MarksIgnored or Readings.marks = w.trusted)
    implies (readingsStay and Counting' = Counting + w)
    else (Readings.marks' = w.trusted and no upTo' and no uuids' and Counting' = w)
  w.unread' = w.trusted + ((no NotReadAgain and some w.doomed & Readings.uuids') implies none else Readings.upTo')
  w.doomed' = w.doomed and w.trusted' = w.trusted and w.began' = w.began and w.hidden' = w.hidden and w.lived' = w.lived
  Covered' = Covered and appStays and nobodyEnded and all o: Worker - w | stays[o]
}
fun sees[w: Worker]: set Writer { w in Calm implies none else Visible - w.hidden }
fun reads[w: Worker]: set Writer { sees[w] - early - w.unread }
fun readsAgain[w: Worker]: set Writer { (sees[w] & early & living) - w.began }
pred finds[w: Worker] { some ((reads[w] & living) + readsAgain[w]).file & w.doomed }
pred counts[w: Worker] { w in Counting or some NumberIgnored }
pred recheck[w: Worker] { -- step 6, from the snapshot to endRecheck, and the end of the transaction
  w.step = Started and w.step' = Idle
  Readings.uuids' = (counts[w] implies Readings.uuids + (some DeadForgotten implies reads[w] & living else reads[w]).file else Readings.uuids)
  Readings.upTo' = ((counts[w] and (w not in Calm or some QuietCounts))
    implies Readings.upTo + (some ReadToEnd implies started else ended) else Readings.upTo)
  ((w in Still or some QuietFromLast) and counts[w] and no Readings.uuids' and no readsAgain[w] and not finds[w] and no (w.lived & early) - w.trusted)
    implies Quiet' = Readings else no Quiet'
  no w.doomed' and no w.trusted' and no w.began' and no w.hidden' and no w.unread' and no w.lived'
  Counting' = Counting - w and Calm' = Calm - w and Still' = Still - w
  marks' = marks and Covered' = Covered and appStays and all o: Worker - w | stays[o]
}
pred rollsBack[w: Worker] { -- before that
  w.step != Idle and w.step' = Idle
  no w.doomed' and no w.trusted' and no w.began' and no w.hidden' and no w.unread' and no w.lived'
  Counting' = Counting - w and Calm' = Calm - w and Still' = Still - w and Quiet' = Quiet
  readingsStay and Covered' = Covered and appStays and all o: Worker - w | stays[o]
}
pred nothing { appStays and oursStay and nobodyEnded }

fact trace {
  always (nothing or pass or look or forget
    or (some x: Writer | begin[x] or end[x] or remove[x] or turn[x])
    or (some w: Worker | find[w] or start[w] or recheck[w] or rollsBack[w]))
}

/* No recheck lets a file go that a committed row mentions, which lives: one that lived at the
   first look, or that a recheck which remembers nothing reads. What lives again between both
   looks, and is older, none does. */
fun readable[w: Worker]: set Writer { w.lived + ((table.Plain - w.trusted) + (table.First - w.began)) - w.hidden }
pred NothingIsMissed {
  always all w: Worker | (recheck[w] and not finds[w]) implies no (living & readable[w]).file & w.doomed
}
