/*
 * Bytes, tombstones, trash and restore as a model: that no row is left without its bytes,
 * and no bytes stay that no row has.
 *
 * One step is one transaction, or one call of the store of bytes, which no transaction
 * covers. Between any two of them everybody else may act, or crash. Times are left out: a
 * tombstone may be due, and an entry of the trash may end, at once. How deletion.als lets
 * rows go is one step here. Left out as well are `restore --without-bytes`, which says what
 * it does, and rows that another program makes while an answer about them is current
 * (maxAnswerAge and maxNamesAge in consumer/reap/remove.go).
 */
module bytes

/* What is done wrong on purpose. A faithful run has none. */
abstract sig Mutation {}
lone sig BytesInTransaction, -- bytes go before the commit, which may fail
         CheckedOnce,        -- a tombstone is checked where it is fetched, and not again
         NothingClaimed,     -- bytes are not claimed, and a check asks for rows alone
         ClaimDoesNotWait,   -- a claim does not wait for a restore that has locked its entry
         TrashUnseen,        -- a check asks for rows alone
         BytesUnlisted       -- no sweep looks for bytes without a row
         extends Mutation {}

sig Name {}                      -- of an object
sig File { name: one Name }      -- plugins let files share one
sig Tombstone { of: one File }

var sig Bytes in Name {}         -- are there
var sig Row in File {}           -- has a row in table file
var sig Trash in File {}         -- has an entry in pruned.trash
var sig Claimed in File {}       -- whose entry says that its bytes are gone (bytes_gone)
var sig Standing in Tombstone {} -- is in pruned.tombstone

/* One who carries out tombstones. They go from fetched to checked to removed. */
sig Reaper { var fetched, checked, removed: set Tombstone }
/* One who restores: which entry it has locked, and whether it has seen the bytes. */
sig Restorer { var locked: lone File }
var sig Saw in Restorer {}

fun held: set Tombstone { Reaper.(fetched + checked + removed) }
fun sharing[f: File]: set File { f.name.~name }

pred rowsStay { Row' = Row and Trash' = Trash and Claimed' = Claimed }
pred reapersStay { fetched' = fetched and checked' = checked and removed' = removed }
pred restorersStay { locked' = locked and Saw' = Saw }

fact init {
  Row.name in Bytes and no Trash and no Claimed and no Standing and no Saw
  no fetched and no checked and no removed and no locked
}

/* Somebody else's program brings a row back, as a backup does. */
pred comesBack[f: File] {
  f not in Row and f.name in Bytes and no held & (sharing[f]).~of & Reaper.checked
  Row' = Row + f and Trash' = Trash and Claimed' = Claimed
  Bytes' = Bytes and Standing' = Standing and reapersStay and restorersStay
}

/* A transaction that deletes a row; also one that fails at its end. */
pred deletes[f: File] {
  f in Row and f not in Restorer.locked
  (some t: of.f - Standing - held | Standing' = Standing + t)
  Row' = Row - f and Trash' = Trash + f and Claimed' = Claimed - f -- the entry is made anew
  Bytes' = (some BytesInTransaction implies Bytes - f.name else Bytes)
  reapersStay and restorersStay
}
pred deletesInVain[f: File] {
  f in Row and some BytesInTransaction and Bytes' = Bytes - f.name
  rowsStay and Standing' = Standing and reapersStay and restorersStay
}
/* An event about a file without a row: its bytes are entombed. */
pred entombable[f: File] { f not in Row and f.name in Bytes and no of.f & Standing and no BytesUnlisted }
pred entombs[f: File] {
  entombable[f] and (some t: of.f - Standing - held | Standing' = Standing + t)
  rowsStay and Bytes' = Bytes and reapersStay and restorersStay
}
pred expires[f: File] {
  f in Trash - Restorer.locked and Trash' = Trash - f and Claimed' = Claimed - f and Row' = Row
  Bytes' = Bytes and Standing' = Standing and reapersStay and restorersStay
}

/* Fetch and claim (reapOutsideTx): waits for the locks of a restore. */
pred fetches[r: Reaper, t: Tombstone] {
  t in Standing - r.(fetched + checked + removed) and t.of not in Restorer.locked
  no ClaimDoesNotWait implies no Restorer.locked & sharing[t.of]
  r.fetched' = r.fetched + t and (all o: Reaper - r | o.fetched' = o.fetched) and checked' = checked and removed' = removed
  Row' = Row and Trash' = Trash
  Claimed' = (some NothingClaimed implies Claimed else Claimed + (sharing[t.of] & Trash))
  Bytes' = Bytes and Standing' = Standing and restorersStay
}
/* May it go? Not if a row has the id or the name, nor if an entry has the name that came
   after the claim: its row may come back (StillReferenced). */
pred used[t: Tombstone] {
  some sharing[t.of] & Row or (no TrashUnseen + NothingClaimed and some sharing[t.of] & (Trash - Claimed))
}
pred checks[r: Reaper, t: Tombstone] {
  t in r.fetched and r.fetched' = r.fetched - t and (all o: Reaper - r | o.fetched' = o.fetched and o.checked' = o.checked)
  (no CheckedOnce and used[t]) implies (r.checked' = r.checked and Standing' = Standing - t)
                               else (r.checked' = r.checked + t and Standing' = Standing)
  removed' = removed and rowsStay and Bytes' = Bytes and restorersStay
}
pred removes[r: Reaper, t: Tombstone] {
  t in r.checked and Bytes' = Bytes - t.of.name
  r.checked' = r.checked - t and r.removed' = r.removed + t
  (all o: Reaper - r | o.checked' = o.checked and o.removed' = o.removed) and fetched' = fetched
  rowsStay and Standing' = Standing and restorersStay
}
pred settles[r: Reaper, t: Tombstone] {
  t in r.removed and Standing' = Standing - t
  r.removed' = r.removed - t and (all o: Reaper - r | o.removed' = o.removed) and fetched' = fetched and checked' = checked
  rowsStay and Bytes' = Bytes and restorersStay
}
pred reaperCrashes[r: Reaper] {
  some r.(fetched + checked + removed) and no r.(fetched' + checked' + removed')
  (all o: Reaper - r | o.fetched' = o.fetched and o.checked' = o.checked and o.removed' = o.removed)
  rowsStay and Bytes' = Bytes and Standing' = Standing and restorersStay
}

/* Restore: locks the entry, looks for the bytes, writes the row. */
pred locks[s: Restorer, f: File] {
  no s.locked and f in Trash - Restorer.locked and locked' = locked + s->f and Saw' = Saw
  rowsStay and Bytes' = Bytes and Standing' = Standing and reapersStay
}
pred looks[s: Restorer] {
  some s.locked and s not in Saw and s.locked.name in Bytes and s.locked not in Claimed + Row
  Saw' = Saw + s and locked' = locked
  rowsStay and Bytes' = Bytes and Standing' = Standing and reapersStay
}
pred restores[s: Restorer] {
  s in Saw and s.locked not in Row -- the row of another program's is refused by the key
  Row' = Row + s.locked and Trash' = Trash - s.locked and Claimed' = Claimed - s.locked and Standing' = Standing - of.(s.locked)
  locked' = locked - s->File and Saw' = Saw - s and Bytes' = Bytes and reapersStay
}
pred givesUp[s: Restorer] { -- or crashes
  some s.locked and locked' = locked - s->File and Saw' = Saw - s
  rowsStay and Bytes' = Bytes and Standing' = Standing and reapersStay
}
pred nothing { rowsStay and Bytes' = Bytes and Standing' = Standing and reapersStay and restorersStay }

fact trace {
  always (nothing
    or (some f: File | comesBack[f] or deletes[f] or deletesInVain[f] or entombs[f] or expires[f])
    or (some r: Reaper | reaperCrashes[r] or some t: Tombstone | fetches[r, t] or checks[r, t] or removes[r, t] or settles[r, t])
    or (some s: Restorer | looks[s] or restores[s] or givesUp[s] or some f: File | locks[s, f]))
}

/* Every row has its bytes. */
pred RowsHaveTheirBytes { always Row.name in Bytes }

/* Bytes that no row has in the end go, if everybody acts in the end, and crashes end. */
pred fair {
  all f: File | (eventually always f in Trash) implies always eventually expires[f]
  all f: File | (eventually always entombable[f]) implies always eventually entombs[f]
  all s: Restorer | (eventually always some s.locked) implies always eventually (restores[s] or givesUp[s])
  eventually always no r: Reaper | reaperCrashes[r]
  all r: Reaper, t: Tombstone {
    (eventually always (t in Standing - r.(fetched + checked + removed) and no Restorer.locked & sharing[t.of])) implies always eventually fetches[r, t]
    (eventually always t in r.fetched) implies always eventually checks[r, t]
    (eventually always t in r.checked) implies always eventually removes[r, t]
    (eventually always t in r.removed) implies always eventually settles[r, t]
  }
}
pred NoBytesStay { (fair and some Reaper) implies all n: Name | (eventually always no name.n & Row) and some name.n implies eventually n not in Bytes }
