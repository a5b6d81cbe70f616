package delegation

import "crypto/sha256"

// Lifetime is how long a prepared signature can be fetched, in nanoseconds: one minute, as in Internet
// Identity. The delegation itself runs much longer.
const Lifetime uint64 = 60_000_000_000

// MaxPruned bounds how many expired signatures one call takes out, so that its cost is bounded.
const MaxPruned = 50

// Signatures is the signature map: what the canister has signed in the last minute. Its zero value is
// not usable; New makes one, Init makes it one. It is not to be copied.
type Signatures struct {
	forest forest
	root   ref // the upper trie
	queue  queue
	count  int

	first struct { // the first chunks of the lists
		forks  [chunkLen]fork
		leaves [chunkLen]leaf
		queue  [chunkLen]entry
	}
}

// entry stands in the queue of expiries. A signature that is prepared again has several entries, of which
// only the last finds the leaf expired.
type entry struct {
	expires uint64
	seed    hash
	message hash
}

// New returns an empty signature map.
func New() *Signatures {
	s := new(Signatures)
	s.Init()
	return s
}

// Init makes s an empty signature map, whatever it was. What the first signatures need is a part of it, so that few
// pages are touched.
func (s *Signatures) Init() {
	*s = Signatures{forest: forest{emptyLeaf: sha256.Sum256([]byte(leafDomain))}}
	copy(s.forest.forkText[:], forkDomain)
	s.forest.forks.begin(&s.first.forks)
	s.forest.leaves.begin(&s.first.leaves)
	s.queue.begin(&s.first.queue)
}

// Len returns the number of signatures, expired ones that are not pruned included.
func (s *Signatures) Len() int { return s.count }

// Add signs a message with the seed's key: Get finds it until now + Lifetime. Adding one that is there
// renews it. The root has changed: certify it before the call ends.
func (s *Signatures) Add(seed Seed, m Message, now uint64) {
	expires := now + Lifetime
	key, message := hash(sha256.Sum256(seed[:])), hash(m)
	s.queue.add(&entry{expires, key, message})

	upper, ok := s.forest.find(s.root, &key)
	if !ok {
		lower := s.forest.insert(0, &message, 0, expires)
		s.root = s.forest.insert(s.root, &key, lower, 0)
		s.count++
		return
	}
	lower := s.forest.leaves.at(upper).sub
	if i, ok := s.forest.find(lower, &message); ok {
		s.forest.leaves.at(i).expires = expires
		return
	}
	lower = s.forest.insert(lower, &message, 0, expires)
	s.forest.update(s.root, &key, lower)
	s.count++
}

// Prune takes out at most MaxPruned signatures that have expired at now and returns when it wants to be
// called next: when the oldest signature left expires, or 0 if none is left. changed reports whether the
// root is another, which must then be certified.
func (s *Signatures) Prune(now uint64) (next uint64, changed bool) {
	for seen := 0; !s.queue.empty() && seen < MaxPruned && s.queue.first().expires <= now; seen++ {
		changed = s.drop(s.queue.first(), now) || changed
		s.queue.drop()
	}
	if s.queue.empty() {
		return 0, changed
	}
	return s.queue.first().expires, changed
}

func (s *Signatures) drop(e *entry, now uint64) bool {
	upper, ok := s.forest.find(s.root, &e.seed)
	if !ok {
		return false
	}
	lower := s.forest.leaves.at(upper).sub
	i, ok := s.forest.find(lower, &e.message)
	if !ok || s.forest.leaves.at(i).expires > now {
		return false // renewed since
	}
	lower = s.forest.remove(lower, &e.message)
	if lower == 0 {
		s.root = s.forest.remove(s.root, &e.seed)
	} else {
		s.forest.update(s.root, &e.seed, lower)
	}
	s.count--
	return true
}

// Root returns the root hash of the canister's certified tree: sibling, the hash of the subtree that
// certifies the assets, forked with the label "sig" over the signatures. It is what goes into the
// canister's certified data.
func (s *Signatures) Root(sibling *[32]byte) [32]byte {
	sig := s.sig()
	return s.forest.join(sibling, &sig)
}

// Hash returns the hash of the signatures' side of the certified tree: what stands beside the assets.
func (s *Signatures) Hash() [32]byte { return s.sig() }

// EmptyTree is the hash of the empty hash tree: what stands beside the signatures where nothing else is
// certified.
var EmptyTree = sha256.Sum256([]byte(emptyDomain))

func (s *Signatures) sig() hash {
	under := &EmptyTree
	if s.root != 0 {
		under = s.forest.hashOf(s.root)
	}
	return hashLabeled([]byte(texts[atSig:atAlgorithm]), under)
}
