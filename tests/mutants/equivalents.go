package main

// equivalents are the mutants that nobody can notice, with the reason. A key names the file, the
// function, the change and the source; #2 is the second of that name.
var equivalents = map[string]string{
	"storage/record/codec.go appendMetadata: exchanged: > for >=: len(m) > 0xffff":                                                              tooLong,
	"storage/record/codec.go metadata: taken for false: n > len(r.b)/3":                                                                         "entries that are not there fail the reader, too; the bound is on the memory that they would take",
	"storage/record/device.go appendDevice: exchanged: > for >=: max(len(d.PublicKey), len(d.CredentialID), len(d.Alias), len(d.Origin)) > Max": tooLong,
	"storage/record/device.go appendDevice: exchanged: > for >=: len(b)-at > Max":                                                               tooLong,
	"storage/record/device.go appendDevice: taken for true: d.AAGUID != nil #3":                                                                 "nothing is appended",
	"identity/actor.go freeID: taken for true: id >= 64":                                                                                        "the lowest number that is free is free",
	"storage/ring/ring.go begin: left out: r.held = 0":                                                                                          "the chunk is written next, which says what is held, or the call fails",
	"storage/index.go changedKeys: taken for true: len(s.keys[i]) > 1":                                                                          sortedAnyway,
	"storage/index.go changedKeys: exchanged: > for >=: len(s.keys[i]) > 1":                                                                     sortedAnyway,
	"storage/record/record.go Append: exchanged: > for >=: max(len(a.Devices), len(a.Copies)) > 0xffff":                                         tooLong,
	"identity/contacts.go vetoContacts: taken for true: vetoed":                                                                                 "without an approval nobody leaves the list, and an anchor is refreshed already",
	"identity/contacts.go ApproveKey: taken for true: contact.ApprovedAt != 0":                                                                  "a contact that approves nothing has no key, and none is approved",
	"identity/contacts.go CompleteContacts: taken for true: err != nil":                                                                         "the newcomer is proven and protected already, and nothing is left that it could veto",
	"identity/contacts.go release: taken for true: d != newcomer":                                                                               "who agrees is protected, and a protected device cannot complete",
	"migrations/engine.go Run: taken for false: errors.As(err, &refused)":                                                                       "the changes of the index that are then dropped are made again on the way up",
	"migrations/ii/trial.go attach: taken for true: err == nil":                                                                                 "a record that cannot be read has no bytes, and those teach nothing",
	"migrations/ii/encode.go encode: taken for true: own.keepsMetadata()":                                                                       "a record whose table has no place for metadata of the anchor has none",
	"storage/tree/batch.go sort: negated: len(part) > simple":                                                                                   sameOrder,
	"storage/tree/batch.go sort: taken for true: len(part) > simple":                                                                            sameOrder,
	"storage/tree/batch.go sort: taken for false: len(part) > simple":                                                                           sameOrder,
	"storage/tree/batch.go sort: exchanged: > for >=: len(part) > simple":                                                                       sameOrder,
	"storage/tree/batch.go keepInner: taken for true: level > 0":                                                                                keptLeaf,
	"storage/tree/batch.go keepInner: exchanged: > for >=: level > 0":                                                                           keptLeaf,
	"storage/tree/cache.go inner: taken for true: level >= cachedLevel":                                                                         "no node of a lower level is in the cache",
	"storage/fsck.go checkExtents: exchanged: >= for >: e >= alloc.MaxExtents":                                                                  "no entry of the table says that number",
	"storage/fsck.go checkSlot: taken for false: err != nil #3":                                                                                 "the record was read whole just before",
	"storage/history.go History: exchanged: > for >=: len(h.Events) > limit":                                                                    "as many as the limit are cut to as many",
	"storage/index.go changedKeys: taken for true: i == 0":                                                                                      "the entry that a new device shares with one passed over is taken away by no old device any more",
	"storage/index.go keepShared: taken for false: len(id) == 0":                                                                                "no entry is that of an empty id",
	"storage/index.go lookup: taken for true: len(hits) <= scanFactor*limit":                                                                    "more entries are read than are used",
	"storage/index.go indexes: taken for true: s.sb.layout >= Layout2":                                                                          "no record of layout 1 is of a version that is indexed",
	"storage/index.go setAside: left out: s.tree.DropCache()":                                                                                   "nobody reads the index until it is cleared, which empties the cache, too",
	"storage/index.go rebuild: taken for false: err != nil #2":                                                                                  "no entry of a record that cannot be read is there to be put in",
	"storage/index.go rebuild: left out: s.keys[1] = keys":                                                                                      roomAlone,
	"storage/legacy.go SetCount: exchanged: > for >=: hi > s.sb.hi":                                                                             "the range is set to what it is",
	"storage/migrate.go Rewrite: taken for false: version+1 == s.writeVersion()":                                                                slowerWay,
	"storage/migrate.go Rewrite: taken for false: ok":                                                                                           slowerWay,
	"storage/index.go changedKeys: taken for false: err != nil":                                                                                 "the loop over what is left meets the same device",
	"storage/slot.go readRawInto: taken for true: len(raw.payload) < length":                                                                    "a record that is whole goes on in no block",
	"storage/slot.go readRawInto: exchanged: < for <=: len(raw.payload) < length":                                                               "a record that is whole goes on in no block",
	"storage/slot.go readRawInto: left out: raw.valid = true":                                                                                   "the empty slot is read once more before it is written",
	"storage/slot.go readRawInto: exchanged: >= for >: len(room) >= size+length":                                                                "the record is copied, and the same",
	"storage/slot.go writeRaw: left out: before -= blockPayload":                                                                                zerosAnyway,
	"storage/slot.go writeRaw: left out: whole = blockHead + min(max(before, part), blockPayload)":                                              zerosAnyway,
	"storage/slot.go writeRaw: taken for false: i < len(old.chain)":                                                                             zerosAnyway,
	"storage/slot.go writeBlock: taken for false: whole == used":                                                                                "nothing is behind the part to be cleared",
	"storage/slot.go writeBlock: taken for false: whole <= cap(b)":                                                                              "the block is put together elsewhere, and the same",
	"storage/slot.go writeBlock: exchanged: <= for <: whole <= cap(b)":                                                                          "the block is put together elsewhere, and the same",
	"storage/slot.go wipe: taken for false: err != nil":                                                                                         "the place of the block was found when the old record was read",
	"storage/store.go newStore: taken for true: taken.Swap(true)":                                                                               roomAlone,
	"storage/store.go newStore: left out: s.keys[i] = s.buffers.keys[i][:0]":                                                                    roomAlone,
	"storage/store.go buffer: taken for true: !s.tree.Batching()":                                                                               roomAlone,
	"storage/store.go readOwn: taken for true: l == &s.lent":                                                                                    "a new room is empty already",
	"storage/store.go readOwn: left out: l.contacts = identity.Contacts{List: l.list[:0]}":                                                      roomAlone,
	"storage/store.go readOwn: left out: a.Contacts = &l.contacts":                                                                              roomAlone,
	"storage/store.go write: taken for true: version < record.Newest":                                                                           "the newest version loses nothing",
	"storage/store.go write: exchanged: < for <=: version < record.Newest":                                                                      "the newest version loses nothing",
	"delegation/trie.go isLeaf: exchanged: < for <=: r < 0":                                                                                     "the empty trie, 0, is handled before anybody asks whether it is a leaf",
	"delegation/trie.go insertAt: exchanged: < for <=: bit < differs":                                                                           "no fork on the path has the bit at which the label differs from the leaf at its end: it was passed by that very bit",
}

const (
	tooLong      = "what has just as many is refused for the length of the whole"
	sameOrder    = "both ways of sorting are stable and give the same order; the bound is on the time"
	sortedAnyway = "entries on one side alone need no order, and sorting them does no harm"
	roomAlone    = "memory is taken anew; what is in it is the same"
	slowerWay    = "reading and writing the anchor gives the same record"
	zerosAnyway  = "more zeros are written behind the part, where zeros are"
	keptLeaf     = "a leaf that is kept is as it is in memory; it is not kept because copying it costs more than it saves"
)
